import MailValues
import Testing

@testable import SMTPProtocol

/// Ends of messages that some receivers believe in and some senders do not: whoever differs from his
/// neighbour lets one message become two.
@Suite("Smuggling")
struct SmugglingTests {
    /// What stands between the two halves of the message. None of them is CRLF.CRLF.
    static let almostEnds: [String] = {
        let ends = ["\r\n", "\n", "\r", "\r\r\n", "\n\r", "\0\r\n", "\r\0\n", "\r\n\0", "\n\n", "\u{85}"]
        var variants: [String] = []
        for before in ends {
            for dot in [".", "..", "\0.", ".\0"] {
                for after in ends
                where
                    !(before.hasSuffix("\r\n") && !before.hasSuffix("\0") && dot == "."
                    && after.hasPrefix("\r\n"))
                {
                    variants.append(before + dot + after)
                }
            }
        }
        return variants
    }()

    private static let smuggled =
        "MAIL FROM:<x@evil.example>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nsmuggled\r\n"

    @Test("no almost-end of DATA makes two messages, wherever it is cut", arguments: almostEnds)
    func data(_ almostEnd: String) {
        let octets = Array(("one" + almostEnd + Self.smuggled).utf8)
        let whole = talk([octets + Array(".\r\nQUIT\r\n".utf8)])
        #expect(whole.messages.count == 1)
        #expect(whole.questions.filter { if case .mail = $0 { true } else { false } }.count == 1)
        #expect(whole.sentText.hasSuffix("queued as 1\r\n221 2.0.0 goodbye\r\n"))
        for cut in 0...octets.count {
            let parts = talk([Array(octets[..<cut]), Array(octets[cut...]) + Array(".\r\nQUIT\r\n".utf8)])
            #expect(parts.messages == whole.messages, "cut at \(cut)")
        }
        let drops = talk(octets.map { [$0] } + [Array(".\r\nQUIT\r\n".utf8)])
        #expect(drops.messages == whole.messages)
        #expect(isClean(whole.messages.first?.content ?? []))
    }

    @Test("a CRLF.CRLF that is one ends the message, and what follows are commands")
    func trueEnd() {
        let parts = talk([Array(("one\r\n.\r\n" + Self.smuggled + ".\r\nQUIT\r\n").utf8)])
        #expect(parts.messages.map(\.content) == [Array("one\r\n".utf8), Array("smuggled\r\n".utf8)])
    }

    @Test("refused line ends are passed over up to the true end", arguments: almostEnds)
    func refused(_ almostEnd: String) {
        let octets = Array(("one" + almostEnd + Self.smuggled + ".\r\nQUIT\r\n").utf8)
        let whole = talk([octets], Self.refusing)
        #expect(whole.messages.count <= 1)
        #expect(whole.questions.filter { if case .mail = $0 { true } else { false } }.count == 1)
        #expect(whole.sentText.hasSuffix("goodbye\r\n"))
        #expect(talk(octets.map { [$0] }, Self.refusing).messages == whole.messages)
    }

    @Test("the octets of a chunk are content whatever they look like", arguments: almostEnds + ["\r\n.\r\n"])
    func chunk(_ almostEnd: String) {
        let content = Array(("one" + almostEnd + Self.smuggled + ".\r\n").utf8)
        for split in stride(from: 0, through: content.count, by: 11) {
            let first = Array("BDAT \(split)\r\n".utf8) + content[..<split]
            let last = Array("BDAT \(content.count - split) LAST\r\n".utf8) + content[split...]
            let whole = talk([first + last + Array("QUIT\r\n".utf8)], opening: Self.envelope)
            #expect(whole.messages.count == 1)
            #expect(isClean(whole.messages.first?.content ?? []))
            #expect(whole.sentText.hasSuffix("queued as 1\r\n221 2.0.0 goodbye\r\n"))
            let drops = talk((first + last + Array("QUIT\r\n".utf8)).map { [$0] }, opening: Self.envelope)
            #expect(drops.messages == whole.messages)
        }
    }

    @Test(
        "the octets of a chunk that is refused are never commands",
        arguments: [
            "", "MAIL FROM:<a@example.com>\r\n",
            "MAIL FROM:<a@example.com>\r\nRCPT TO:<never@example.org>\r\n",
            "MAIL FROM:<never@example.com>\r\nRCPT TO:<b@example.org>\r\n",
            "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nBDAT 1 LAST\r\nx",
            "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nBDAT 2 LOST\r\n\r\n", "AUTH PLAIN\r\n",
            "STARTTLS\r\n",
        ]
    )
    func misplacedChunk(_ before: String) {
        let content = Self.smuggled + ".\r\n"
        for marker in ["", " LAST"] {
            let octets = Array(
                (before + "BDAT \(content.utf8.count)\(marker)\r\n" + content + "QUIT\r\n").utf8)
            let questions = talk([Array(before.utf8)], opening: "EHLO client.example\r\n").questions
            for reads in [[octets], octets.map { [$0] }] {
                let whole = talk(reads, opening: "EHLO client.example\r\n")
                #expect(whole.questions == questions)
                #expect(whole.sentText.hasSuffix("221 2.0.0 goodbye\r\n"))
            }
        }
    }

    @Test("a chunk of 2^63 octets is dropped, and lets nothing through")
    func endlessChunk() {
        var talk = talk([Array("BDAT 9223372036854775808 LAST\r\n".utf8)], opening: Self.envelope)
        let before = talk.questions
        for _ in 0..<1000 { talk.receive(Self.smuggled) }
        #expect(talk.questions == before)
        #expect(talk.messages.isEmpty)
        #expect(talk.aborted == 1)
        talk.now = talk.now + .seconds(3600)
        talk.handle(.deadlinePassed)
        #expect(talk.isClosed)
    }

    // MARK: Helpers

    private static let repairing = SessionSettings(.testing)
    private static let refusing: SessionSettings = {
        var options = SessionOptions.testing
        options.lineEnds = .refuse
        return SessionSettings(options)
    }()
    private static let envelope =
        "EHLO client.example\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\n"

    private func talk(
        _ reads: [[UInt8]], _ settings: SessionSettings = repairing, opening: String = envelope + "DATA\r\n"
    ) -> ServerConversation {
        var talk = ServerConversation(settings: settings)
        talk.receive(opening)
        _ = talk.takeSent()
        for read in reads { talk.receive(read) }
        return talk
    }

    /// Every CR has its LF and every LF its CR.
    private func isClean(_ content: [UInt8]) -> Bool {
        for (index, octet) in content.enumerated() {
            if octet == 0x0D, index + 1 == content.count || content[index + 1] != 0x0A { return false }
            if octet == 0x0A, index == 0 || content[index - 1] != 0x0D { return false }
        }
        return true
    }
}
