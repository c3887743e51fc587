import AdminClient
import AdminProtocol
import ArgumentParser
import MailValues
import Membership

/// `chappe force-leave NODE`: the operator's word that a member is gone for good.
struct ForceLeaveCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "force-leave",
        abstract: "Evicts a member that is gone for good. Its queue goes with it.",
        discussion: """
            Every member withdraws its key; should it come back, it is told, and delivers nothing. A member that \
            still answers had better leave: `chappe leave --node NODE` keeps its mail. Needs the operator's key.
            """)

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @OptionGroup var key: OperatorKeyOptions

    @Argument(help: "Its name, or the beginning of its id.") var member: String
    @Option(name: .long, help: "Why: goes into the record.") var reason: String
    @Flag(name: [.customShort("y"), .long], help: "Do not ask.") var yes = false

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let master = try Operator(key, client, now: screen.now)
        let row = try (client.get("cluster/members") as MemberList).member(member)
        guard !row.isSelf else {
            throw Complaint("\(row.name) is the node that you ask: ask another, or say `chappe leave`")
        }
        let reason = try Operator.reason(reason)
        for line in Self.warnings(row) { screen.warn(Table.harmless(line)) }
        if !yes {
            guard screen.hasPerson else { throw Complaint("will not evict \(row.name) unasked: add --yes") }
            guard screen.confirms("evict \(row.name)?") else { throw Complaint("nothing was changed") }
        }
        let answer = try master.order(
            Order.Subject(.eviction, try row.id.octets), reason: reason, expires: nil)
        // What is lost with it was said before; none of it lies in this node's queue.
        var told = answer
        told.messages = 0
        try screen.answer(
            form, answer, brief: ["\(answer.number)"], page: OrderPage.lines("\(row.name) is evicted", told))
        return OrderPage.outcome(of: answer)
    }

    static func warnings(_ row: MemberRow) -> [String] {
        var lines: [String] = []
        if row.isUp {
            lines.append(
                "\(row.name) is up (\(row.letters)): `chappe leave --node \(row.name)` keeps its mail")
        }
        if row.state == .left { return lines }
        if let load = row.load {
            lines.append(
                "\(Wording.count(load.queuedMessages, "message")) queued there by its last word are gone with it"
            )
        } else {
            lines.append("how many messages are queued there is not known: they are gone with it")
        }
        return lines
    }
}
