import AdminClient
import AdminProtocol
import ArgumentParser
import Cryptography
import MailValues
import Membership

/// `chappe join-cmd`: the line to say on a new node.
struct JoinLineCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "join-cmd", abstract: "Prints the line to say on a new node, and opens the door for it.",
        discussion: """
            The line stands alone on standard output. The token in it lets one node in, at this member's door, until \
            it expires; keep it from others until then.
            """)

    @OptionGroup var node: NodeOptions
    @OptionGroup var key: OperatorKeyOptions

    @Option(name: .long, help: "How long the token is good: 30m, 1h, 2d.")
    var expires = Span(seconds: Int(Permit.lifetimeDefault.components.seconds))

    func validate() throws {
        guard (1...AdminAPI.doorSecondsLongest).contains(expires.seconds) else {
            let longest = Span(seconds: AdminAPI.doorSecondsLongest)
            throw ValidationError("--expires is a second at least, and at most \(longest)")
        }
    }

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let master = try Operator(key, client, now: screen.now)
        let door: DoorAnswer = try client.send(DoorRequest(seconds: expires.seconds), to: "cluster/door")
        var random = SecureRandom()
        let until = screen.now + .seconds(expires.seconds)
        let token = Token(
            cluster: master.cluster, operator: master.key, doorkeeper: try master.facts.identity,
            linkKey: try master.facts.link, number: try master.number, expires: until, using: &random)
        let place = Endpoint(host: door.host, port: door.port)
        screen.say(Table.harmless("chappe join \(place) --token \(token.text)"))
        screen.warn(
            Table.harmless(
                "Say this on the new node, which must reach \(place). It is good once, until \(Moment(until))."
            ))
        return .ok
    }
}
