import AdminClient
import AdminProtocol
import ArgumentParser
import Membership

/// `chappe join HOST:PORT --token T`: this node becomes a member.
struct JoinCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "join",
        abstract: "This node joins a cluster, by the line that `chappe join-cmd` printed.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @OptionGroup var identity: MemberOptions

    @Argument(help: "The member's door: HOST:PORT, or [ADDRESS]:PORT.")
    var door: Endpoint

    @Option(name: .long, help: "As `chappe join-cmd` printed it.")
    var token: String

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        guard let known = Token(token) else {
            throw Complaint("this is no token: copy the whole line that `chappe join-cmd` printed", .usage)
        }
        guard screen.now < known.permit.expires else {
            throw Complaint(JoinRefusal.expired.sentence)
        }
        let list = try knock(client)
        try screen.answer(
            form, list, rows: list.members, brief: list.cluster.map { [$0] } ?? [],
            page: [Table.harmless(Self.sentence(list))]
                + form.lines(MembersPage.table(list, wide: form.output == .wide)))
        return .ok
    }

    /// At each address of the host until one answers.
    private func knock(_ client: AdminClient) throws -> MemberList {
        var failure = Complaint("\(door) has no address", .unreachable)
        for address in try door.addresses {
            do throws(AdminClient.Failure) {
                return try client.send(
                    JoinRequestBody(
                        host: address, port: door.port, token: token, name: identity.name,
                        address: identity.address), to: "cluster/join")
            } catch {
                failure = Complaint(error)
                guard case .problem(let problem) = error, problem.code == .unavailable else { break }
            }
        }
        throw failure
    }

    static func sentence(_ list: MemberList) -> String {
        let own = list.members.first { $0.isSelf }?.name ?? "this node"
        return "\(own) is a member of cluster \(list.cluster ?? "-"), one of \(list.members.count)"
    }
}
