import MailValues
import MessageFormat
import Testing

@Suite("Header edited by intake")
struct HeaderEditTests {
    private static let rules = HeaderRules(authenticationServiceIDs: ["MX.example.org"])

    struct Case: Sendable, CustomTestStringConvertible {
        let before: String
        let after: String
        var testDescription: String { before.debugDescription }

        init(_ before: String, _ after: String) {
            self.before = before
            self.after = after
        }
    }

    private static let edits = [
        Case("Subject: a\r\n\r\nb", "T: 1\r\nSubject: a\r\n\r\nb"),
        Case(
            "Return-Path: <a@b>\r\nA: 1\r\nbcc: x@y,\r\n z@y\r\nB: 2\r\n\r\nbody",
            "T: 1\r\nA: 1\r\nB: 2\r\n\r\nbody"),
        Case("Bcc : x@y\r\n\r\nBcc: stays\r\n", "T: 1\r\n\r\nBcc: stays\r\n"),
        Case("Resent-Bcc: x@y\r\nBccx: 1\r\n\r\n", "T: 1\r\nBccx: 1\r\n\r\n"),
        Case("Bcc: x@y", "T: 1\r\n"),
        Case("From me@here Tue\r\nA: 1\r\n\r\n", "T: 1\r\nA: 1\r\n\r\n"),
        // Two readers must not see two headers.
        Case("A: 1\r\nhello\r\nBcc: x\r\n", "T: 1\r\nA: 1\r\n\r\nhello\r\nBcc: x\r\n"),
        Case("hello\r\n", "T: 1\r\n\r\nhello\r\n"),
        Case("", "T: 1\r\n"),
    ]

    @Test("Return-Path and Bcc go, the rest stays octet by octet", arguments: edits)
    func removes(_ sample: Case) {
        #expect(edited([Array(sample.before.utf8)]) == sample.after)
    }

    @Test("the result does not depend on how the content is cut into pieces", arguments: edits)
    func joinsPieces(_ sample: Case) {
        let octets = Array(sample.before.utf8)
        for cut in 0...octets.count {
            #expect(edited([Array(octets[..<cut]), Array(octets[cut...])]) == sample.after)
        }
        #expect(edited(octets.map { [$0] }) == sample.after)
    }

    private func edited(_ content: [[UInt8]]) -> String {
        let pieces = HeaderEdit(content, rules: Self.rules).content(prepending: Array("T: 1\r\n".utf8))
        return String(decoding: pieces.joined(), as: UTF8.self)
    }

    @Test(
        "results that bear our id are removed however the id is dressed up",
        arguments: [
            "mx.example.org; spf=pass", " MX.Example.ORG;none", "mx.example.org 1; dkim=pass",
            "mx.example.org",
            "(c) mx.example.org; a=b", "(a(b)\\)c)\r\n mx.example.org; a=b", "\"mx.example.org\"; a=b",
            "\"mx\\.example.org\"; a=b", "mx.example.org.; a=b", "mx (x) . example.org; a=b",
            "mx.example.org/1; a=b",
        ])
    func removesOwnResults(_ value: String) {
        #expect(
            edited([Array("Authentication-Results:\(value)\r\nA: 1\r\n\r\n".utf8)]) == "T: 1\r\nA: 1\r\n\r\n")
    }

    @Test(
        "results of others stay",
        arguments: [
            "mx.example.com; spf=pass", "x.mx.example.org; a=b", "mx.example.org.uk; a=b",
            "(mx.example.org) other; a=b",
            "", "(open", "\"open", ";",
        ])
    func keepsForeignResults(_ value: String) {
        let text = "Authentication-Results: \(value)\r\nA: 1\r\n\r\n"
        #expect(edited([Array(text.utf8)]) == "T: 1\r\n" + text)
    }

    @Test("an untouched message keeps the arrays in which it came")
    func copiesNothing() {
        let piece = Array("A: 1\r\n\r\n".utf8) + [UInt8](repeating: 0x41, count: 10_000)
        let before = piece.withUnsafeBufferPointer { $0.baseAddress }
        let after = HeaderEdit([piece], rules: Self.rules).content(prepending: [])
        #expect(after[1].withUnsafeBufferPointer { $0.baseAddress } == before)
    }

    @Test("what is missing and how often it was received is counted in the header alone")
    func counts() {
        let text =
            "Received: a\r\nReceived: b\r\n by c\r\nDate: x\r\nFrom: a@b\r\n\r\nMessage-ID: <no>\r\nReceived: no\r\n"
        let edit = HeaderEdit([Array(text.utf8)], rules: Self.rules)
        #expect(edit.receivedCount == 2)
        #expect(edit.hasDate)
        #expect(!edit.hasMessageID)
        #expect(edit.fromCount == 1)
    }

    @Test("a named field's values come unfolded and trimmed")
    func givesValues() {
        let text =
            "X-OriginatorOrg: example.com\r\nx-originatororg:\r\n\t two \r\n words\t\r\nX-Originator: no\r\n\r\n"
        let edit = HeaderEdit([Array(text.utf8)], rules: Self.rules)
        let values = edit.values(of: "X-OriginatorOrg").map { String(decoding: $0, as: UTF8.self) }
        #expect(values == ["example.com", "two  words"])
    }

    struct FromCase: Sendable, CustomTestStringConvertible {
        let value: String
        let domains: [String]?
        var testDescription: String { value.debugDescription }

        init(_ value: String, _ domains: [String]?) {
            self.value = value
            self.domains = domains
        }
    }

    @Test(
        "the domains of From are those of all its addresses, or nothing if it reads two ways",
        arguments: [
            FromCase("a@Example.ORG", ["example.org"]),
            FromCase("A <a@b.example>", ["b.example"]),
            FromCase("\"x@y.example\" <a@b.example>", ["b.example"]),
            FromCase("A (x@y.example) <a@b.example> (c)", ["b.example"]),
            FromCase("a@b.example, C <c@d.example>", ["b.example", "d.example"]),
            FromCase("Group: a@b.example, c@d.example;", ["b.example", "d.example"]),
            FromCase("<@x.example,@y.example:a@b.example>", ["b.example"]),
            FromCase("\"a b\"@c.example", ["c.example"]),
            FromCase("a . b @ c . example", ["c.example"]),
            FromCase("a@[192.0.2.1]", ["[192.0.2.1]"]),
            FromCase("=?utf-8?q?x=40y?= <a@b.example>", ["b.example"]),
            FromCase("Jörg <jörg@exämple.org>", ["exämple.org"]),
            FromCase("a@b.example.", ["b.example"]),
            FromCase("a@b.example <c@d.example>", nil),
            FromCase("<a@b.example> c@d.example", nil),
            FromCase("<a@b.example> <c@d.example>", nil),
            FromCase("a@b.example c", nil),
            FromCase("a@b@c.example", nil),
            FromCase("A <a@b.example", nil),
            FromCase("a@b.example>", nil),
            FromCase("(a@b.example", nil),
            FromCase("\"a@b.example", nil),
            FromCase("nobody", nil),
            FromCase("Group:;", nil),
            FromCase("Group: a@b.example", nil),
            FromCase("a@b.example;", nil),
            FromCase("", nil),
            FromCase("a@", nil),
            FromCase("<>", nil),
            FromCase("a@b.example\0", nil),
        ])
    func readsFrom(_ sample: FromCase) {
        let edit = HeaderEdit([Array("From: \(sample.value)\r\n\r\n".utf8)], rules: Self.rules)
        #expect(edit.fromDomains()?.map(\.name) == sample.domains)
    }

    @Test(
        "an author's name is one name however it is written, and none where words stand side by side",
        arguments: [
            ("a@b.example", ["a@b.example"]),
            ("A. Nonymous <A.b@c.example>", ["A.b@c.example"]),
            ("\"a\"@b.example", ["a@b.example"]),
            ("\"a b\"@c.example", ["\"a b\"@c.example"]),
            ("\"a\\\"b\"@c.example", ["\"a\\\"b\"@c.example"]),
            ("a . b @ c . example", ["a.b@c.example"]),
            ("\"a\".\"b\"@c.example", ["a.b@c.example"]),
            ("a(x)@b.example", ["a@b.example"]),
            ("a b@c.example", ["nobody"]),
            ("a \"b\"@c.example", ["nobody"]),
            ("\"\"@c.example", ["nobody"]),
            ("<@x.example:a@b.example>, c <d+e@f.example>", ["a@b.example", "d+e@f.example"]),
        ])
    func readsAuthors(_ value: String, _ expected: [String]) {
        let edit = HeaderEdit([Array("From: \(value)\r\n\r\n".utf8)], rules: Self.rules)
        #expect(edit.fromAddresses()?.map { $0.mailbox?.description ?? "nobody" } == expected)
    }

    @Test(
        "who sends for the author is named once, or not at all",
        arguments: [
            ("Sender: a@b.example", ["a@b.example"]),
            ("Sender: a@b.example\r\nSender: a@b.example", []),
            ("Sender: a@b.example c", []),
            ("Resent-From: new@b.example\r\nResent-From: old@b.example", ["new@b.example"]),
            ("Resent-From: a@b.example\r\nResent-Sender: s@b.example", ["s@b.example"]),
            ("Subject: none", []),
        ])
    func readsSenders(_ fields: String, _ expected: [String]) {
        let edit = HeaderEdit([Array("\(fields)\r\n\r\n".utf8)], rules: Self.rules)
        #expect(edit.senderAddresses().compactMap { $0.mailbox?.description } == expected)
    }

    @Test("two From fields name no author")
    func refusesTwoFroms() {
        let edit = HeaderEdit(
            [Array("From: a@b.example\r\nFrom: a@b.example\r\n\r\n".utf8)], rules: Self.rules)
        #expect(edit.fromDomains() == nil)
    }
}
