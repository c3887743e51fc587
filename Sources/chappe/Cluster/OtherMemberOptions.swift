import AdminClient
import AdminProtocol
import ArgumentParser
import MailValues
import Membership

/// Another member than the one that is asked, to which only the operator's key can speak.
struct OtherMemberOptions: ParsableArguments {
    @Option(name: .customLong("node"), help: "Another member, by an order: needs the operator's key.")
    var member: String?

    @OptionGroup var key: OperatorKeyOptions

    /// Whom it was said to; nil: nobody else is named.
    func order(
        _ kind: OrderKind, _ does: String, isLifted: Bool = false, reason: String, _ client: AdminClient,
        _ form: OutputOptions, on screen: Screen
    ) throws -> MemberRow? {
        try give(kind, does, isLifted: isLifted, reason: reason, client, form, on: screen)?.member
    }

    /// Whom it was said to, and whether that one has heard it; nil: nobody else is named.
    func give(
        _ kind: OrderKind, _ does: String, isLifted: Bool = false, reason: String, _ client: AdminClient,
        _ form: OutputOptions, on screen: Screen
    ) throws -> (member: MemberRow, outcome: Outcome)? {
        guard let member else { return nil }
        let master = try Operator(key, client, now: screen.now)
        let row = try (client.get("cluster/members") as MemberList).member(member)
        let answer = try master.order(
            Order.Subject(kind, try row.id.octets), isLifted: isLifted, reason: reason, expires: nil)
        try OrderPage.tell("\(row.name) \(does)", answer, form, on: screen)
        return (row, answer.notReached.contains(row.name) ? .partial : .ok)
    }
}
