import AdminProtocol
import MailValues
import RoutingPolicy

/// What another tenant of a network that we share with strangers can do: come from the right address, with
/// all but one of the marks that make mail ours.
struct TenantTrick: Sendable {
    var attempt: RelayAttack.Attempt

    static func all(
        for shared: SelftestFacts.SharedNetwork, _ parties: OpenRelayTrick.Parties
    ) -> [TenantTrick] {
        let sender = "someone@\(shared.senderDomains.first ?? parties.ownDomain)"
        let from = "someone@\(shared.fromDomains.first ?? parties.ownDomain)"
        let header = shared.header
        let other = "tenant@other.example"
        func trick(
            _ name: String, sender: String, header: [(name: String, value: String)], body: String? = nil
        ) -> TenantTrick {
            var attempt = RelayAttack.Attempt(
                name: "\(shared.network): \(name)", sender: Array("<\(sender)>".utf8),
                recipient: Array("<\(parties.targetUser)@\(parties.targetDomain)>".utf8), header: header)
            if let body { attempt.body = body }
            return TenantTrick(attempt: attempt)
        }
        let mark = (header, shared.value)
        return [
            trick("no mark at all", sender: other, header: [("From", other)]),
            trick("foreign sender", sender: other, header: [("From", from), mark]),
            trick("null sender", sender: "", header: [("From", from), mark]),
            trick("foreign From", sender: sender, header: [("From", other), mark]),
            trick("no header", sender: sender, header: [("From", from)]),
            trick(
                "header of another tenant", sender: sender,
                header: [("From", from), (header, "other.example")]),
            trick("empty header", sender: sender, header: [("From", from), (header, "")]),
            trick(
                "value with something behind it", sender: sender,
                header: [("From", from), (header, "\(shared.value).other.example")]),
            trick(
                "header twice", sender: sender, header: [("From", from), (header, "other.example"), mark]),
            trick(
                "header in the body", sender: sender, header: [("From", from)],
                body: "\(header): \(shared.value)"),
            trick(
                "header folded into another", sender: sender,
                header: [("From", from), ("X-Other", "x\r\n \(header): \(shared.value)")]),
            trick("two From fields", sender: sender, header: [("From", from), ("From", other), mark]),
            trick("two authors", sender: sender, header: [("From", "\(from), \(other)"), mark]),
            trick("From in a comment", sender: sender, header: [("From", "\(other) (\(from))"), mark]),
            trick(
                "From as a display name", sender: sender, header: [("From", "\"\(from)\" <\(other)>"), mark]),
            trick(
                "sender below our domain",
                sender: "someone@\(shared.senderDomains.first ?? "x").other.example",
                header: [("From", from), mark]),
        ]
    }
}
