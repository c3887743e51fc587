import AdminProtocol
import MailValues
import Testing

private let now = Timestamp(milliseconds: 1_795_533_592_123)

private func entry(
    _ sender: String = "a@example.com", to recipients: [String] = ["bob@example.org"], age: Int = 60,
    state: QueueEntry.State = .waiting, reply: String? = nil
) -> QueueEntry {
    QueueEntry(
        id: "01JC938NKRKAY0000003FAVFQF", state: state, acceptedAt: Moment(now - .seconds(age)),
        sender: sender,
        sizeOctets: 1000, listener: "mx",
        recipients: recipients.map { QueueEntry.Recipient(address: $0, state: .waiting, lastReply: reply) })
}

private func filter(_ pairs: (String, String)...) throws -> QueueFilter {
    try QueueFilter(pairs: pairs.map { (name: $0.0, value: $0.1) })
}

@Suite("A queue filter")
struct QueueFilterTests {
    struct Case: Sendable {
        let name: String
        let value: String
        let entry: QueueEntry
        let matches: Bool
        init(_ name: String, _ value: String, _ entry: QueueEntry, _ matches: Bool) {
            self.name = name
            self.value = value
            self.entry = entry
            self.matches = matches
        }
    }

    @Test(
        "means what it says",
        arguments: [
            Case("id", "01jc9", entry(), true),
            Case("id", "01JD", entry(), false),
            Case("sender", "A@Example.COM", entry(), true),
            Case("sender", "b@example.com", entry(), false),
            Case("sender", "@example.com", entry(), true),
            Case("sender", "@xample.com", entry(), false),
            Case("sender", "<>", entry(""), true),
            Case("sender", "<>", entry(), false),
            Case("sender", "*", entry(""), true),
            Case("recipient", "@example.org", entry(to: ["x@example.net", "y@example.org"]), true),
            Case("recipient", "bob@*", entry(), true),
            Case("recipient", "*b@*.org", entry(), true),
            Case("recipient", "*b@*.net", entry(), false),
            Case("domain", "EXAMPLE.org", entry(), true),
            Case("domain", "example.or", entry(), false),
            Case("domain", "org", entry(), false),
            Case("olderThan", "59s", entry(), true),
            Case("olderThan", "1m", entry(), false),
            Case("youngerThan", "1m", entry(), false),
            Case("youngerThan", "61", entry(), true),
            Case("state", "held", entry(state: .held), true),
            Case("state", "held", entry(), false),
            Case("reply", "greylist", entry(reply: "450 4.7.1 Greylisted"), true),
            Case("reply", "greylist", entry(), false),
            Case("all", "true", entry(), true),
        ])
    func matches(_ sample: Case) throws {
        let filter = try filter((sample.name, sample.value))
        #expect(filter.matches(sample.entry, now: now) == sample.matches)
        #expect(!filter.isEmpty)
    }

    @Test("wants everything that is given, of the same recipient")
    func conjunction() throws {
        let two = entry(to: ["bob@example.net", "eve@example.org"])
        #expect(try filter(("recipient", "bob@*"), ("domain", "example.net")).matches(two, now: now))
        #expect(try !filter(("recipient", "bob@*"), ("domain", "example.org")).matches(two, now: now))
    }

    @Test("does not mean recipients that are done")
    func done() throws {
        var delivered = entry()
        delivered.recipients[0].state = .delivered
        #expect(try !filter(("domain", "example.org")).matches(delivered, now: now))
    }

    @Test(
        "with a name or a value that makes no sense is refused, never ignored",
        arguments: [
            ("sneder", "a@example.com"), ("olderThan", "soon"), ("olderThan", "-5m"), ("olderThan", ""),
            ("state", "gone"), ("all", "false"), ("id", ""), ("", ""), ("limit", "5"),
        ])
    func refused(_ name: String, _ value: String) {
        #expect { try filter((name, value)) } throws: { ($0 as? AdminProblem)?.code == .badRequest }
    }

    @Test("comes back from its pairs as it was")
    func pairs() throws {
        let all = try filter(
            ("id", "01JC"), ("sender", "<>"), ("recipient", "*@b"), ("domain", "b"), ("olderThan", "90s"),
            ("youngerThan", "2d"), ("state", "deferred"), ("reply", "4.7.1"), ("all", "true"))
        #expect(try QueueFilter(pairs: all.pairs) == all)
        #expect(all.pairs.count == QueueFilter.Name.allCases.count)
        #expect(QueueFilter().isEmpty && QueueFilter().pairs.isEmpty)
    }
}

@Suite("An address pattern")
struct AddressPatternTests {
    @Test(
        "finds with stars what stands between them, in order",
        arguments: [
            ("*", "", true), ("a*c", "ac", true), ("a*c", "abc", true), ("a*c", "abcd", false),
            ("a*b*c", "a-b-c", true), ("a*b*c", "a-c-b", false), ("*a*a*", "a", false), ("*a*a*", "aa", true),
            ("ab*ba", "aba", false), ("**", "x", true), ("", "", true), ("", "x", false), ("<>", "", true),
        ])
    func stars(_ pattern: String, _ address: String, _ matches: Bool) {
        #expect(AddressPattern(pattern).matches(address) == matches)
    }
}
