import MailValues
import RoutingPolicy
import SMTPProtocol
import Testing

@Suite("Whose name an account writes into From")
struct AuthorRuleTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let account: String
        let authors: [String]?
        var senders: [String] = []
        /// Under `own`, under `sender`.
        let passes: (own: Bool, sender: Bool)
        var testDescription: String { "\(account): \(authors ?? ["unreadable"]) \(senders)" }
    }

    @Test(
        "is its own, or another's under its own signature, as the rule says",
        arguments: [
            Case(account: "printer", authors: ["scan@example.com"], passes: (true, true)),
            Case(account: "printer", authors: ["Scan+floor2@EXAMPLE.com"], passes: (true, true)),
            Case(account: "printer", authors: ["boss@example.com"], passes: (false, false)),
            Case(
                account: "printer", authors: ["scan@example.com", "boss@example.com"], passes: (false, false)),
            Case(
                account: "printer", authors: ["boss@example.com"], senders: ["scan@example.com"],
                passes: (false, true)),
            Case(
                account: "printer", authors: ["boss@example.com"], senders: ["other@example.com"],
                passes: (false, false)),
            Case(account: "printer", authors: nil, passes: (false, false)),
            Case(account: "printer", authors: nil, senders: ["scan@example.com"], passes: (false, true)),
            Case(account: "printer", authors: [], passes: (true, true)),
            Case(account: "shop", authors: ["anybody@shop.example"], passes: (true, true)),
            Case(account: "shop", authors: ["anybody@sub.shop.example"], passes: (false, false)),
            Case(account: "bulk", authors: ["anybody@anywhere.example"], passes: (true, true)),
            Case(account: "bulk", authors: nil, passes: (true, true)),
            Case(account: "anna@example.com", authors: ["anna@example.com"], passes: (true, true)),
            Case(account: "anna@example.com", authors: ["alice@example.com"], passes: (false, false)),
        ])
    func rules(_ sample: Case) {
        let named = NamedAuthors(authors: sample.authors?.map(mailbox), senders: sample.senders.map(mailbox))
        func passes(_ rule: AuthorRule) -> Bool {
            House.policy.authorDecision(account: sample.account, rule, named) == nil
        }
        #expect(passes(.own) == sample.passes.own)
        #expect(passes(.sender) == sample.passes.sender)
        #expect(passes(.any))
    }
}
