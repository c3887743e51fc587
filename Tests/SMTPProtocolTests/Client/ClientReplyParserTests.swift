import MailValues
import SMTPProtocol
import Testing

struct ReplyCase: Sendable, CustomTestStringConvertible {
    enum Outcome: Equatable {
        case reply(Reply)
        case error(ReplyError)
        case incomplete
    }
    var octets: [UInt8]
    var outcome: Outcome

    init(_ text: String, _ outcome: Outcome) {
        octets = Array(text.utf8)
        self.outcome = outcome
    }
    var testDescription: String { String(decoding: octets.prefix(60), as: UTF8.self) }

    /// What a parser finds when the octets come in these pieces.
    func parse(cutAt cuts: [Int]) -> Outcome {
        var parser = ReplyParser()
        var start = 0
        for end in cuts + [octets.count] {
            let outcome: Outcome? = octets[start..<end].withUnsafeBytes { piece in
                var offset = 0
                do throws(ReplyError) {
                    return try parser.consume(piece, from: &offset) ? .reply(parser.reply) : nil
                } catch { return .error(error) }
            }
            if let outcome { return outcome }
            start = end
        }
        return .incomplete
    }
}

@Suite("A peer's reply")
struct ClientReplyParserTests {
    static let cases: [ReplyCase] = [
        ReplyCase("250 ok\r\n", .reply(Reply(250, nil, "ok"))),
        ReplyCase("250\r\n", .reply(Reply(250, nil, ""))),  // RFC 5321 §4.2
        ReplyCase("250 \r\n", .reply(Reply(250, nil, ""))),
        ReplyCase("250-one\r\n250-two\r\n250 three\r\n", .reply(Reply(250, nil, "one\ntwo\nthree"))),
        ReplyCase("250-one\r\n250\r\n", .reply(Reply(250, nil, "one\n"))),
        ReplyCase("550 5.1.1 no such user\r\n", .reply(Reply(550, EnhancedStatus(5, 1, 1), "no such user"))),
        ReplyCase(
            "550-5.1.1 no\r\n550 5.1.1 user\r\n", .reply(Reply(550, EnhancedStatus(5, 1, 1), "no\nuser"))),
        ReplyCase("550-5.1.1 no\r\n550 user\r\n", .reply(Reply(550, EnhancedStatus(5, 1, 1), "no\nuser"))),
        // RFC 2034 §4
        ReplyCase("550 4.1.1 another class\r\n", .reply(Reply(550, nil, "4.1.1 another class"))),
        ReplyCase("250 2.0.0\r\n", .reply(Reply(250, EnhancedStatus(2, 0, 0), ""))),
        ReplyCase("250 2.0.0.1 x\r\n", .reply(Reply(250, nil, "2.0.0.1 x"))),
        ReplyCase("250 2.0000.0 x\r\n", .reply(Reply(250, nil, "2.0000.0 x"))),
        ReplyCase("571 x\r\n", .reply(Reply(571, nil, "x"))),
        ReplyCase("250 a\u{7}b\u{E9}\r\n", .reply(Reply(250, nil, "a?b??"))),
        ReplyCase("250 a\rb\r\n", .reply(Reply(250, nil, "a?b"))),
        // A bare LF is text, or an address of ours that a peer repeats would speak for it.
        ReplyCase("550 no <a\n250 ok>\r\n", .reply(Reply(550, nil, "no <a?250 ok>"))),
        ReplyCase("250 ok\n", .incomplete),
        ReplyCase("250-ok\r\n", .incomplete),
        ReplyCase("250 ok\r", .incomplete),
        ReplyCase("", .incomplete),
        ReplyCase("\r\n", .error(.malformed)),
        ReplyCase("25\r\n", .error(.malformed)),
        ReplyCase("2500 x\r\n", .error(.malformed)),
        ReplyCase("150 x\r\n", .error(.malformed)),
        ReplyCase("650 x\r\n", .error(.malformed)),
        ReplyCase("250_x\r\n", .error(.malformed)),
        ReplyCase(" 250 x\r\n", .error(.malformed)),
        ReplyCase("HTTP/1.1 200 OK\r\n", .error(.malformed)),
        ReplyCase("250-a\r\n251 b\r\n", .error(.mixedCodes)),
        ReplyCase(String(repeating: "250-x\r\n", count: 101), .error(.tooManyLines)),
        ReplyCase("250 " + String(repeating: "x", count: 70_000), .error(.lineTooLong)),
        ReplyCase(
            "250 " + String(repeating: "x", count: 3_000) + "\r\n",
            .reply(Reply(250, nil, String(repeating: "x", count: 2_044)))),
    ]

    @Test("is read as it stands", arguments: cases)
    func reads(_ sample: ReplyCase) {
        #expect(sample.parse(cutAt: []) == sample.outcome)
    }

    @Test("is read the same at every cut", arguments: cases)
    func anyCut(_ sample: ReplyCase) {
        for cut in 0...min(sample.octets.count, 300) { #expect(sample.parse(cutAt: [cut]) == sample.outcome) }
        #expect(sample.parse(cutAt: Array(stride(from: 1, to: sample.octets.count, by: 1))) == sample.outcome)
    }

    @Test("of many lines is kept in bounds")
    func boundedText() {
        let line = "250-" + String(repeating: "x", count: 1_000) + "\r\n"
        let sample = ReplyCase(String(repeating: line, count: 50) + "250 end\r\n", .incomplete)
        guard case .reply(let reply) = sample.parse(cutAt: []) else {
            Issue.record("the reply was not read")
            return
        }
        #expect(reply.text.utf8.count <= ReplyLimits().textOctets)
    }

    @Test("leaves what follows it where it is")
    func consumesOne() throws {
        let octets = Array("250 one\r\n550 two\r\n".utf8)
        var parser = ReplyParser()
        var offset = 0
        let replies = try octets.withUnsafeBytes { all in
            var replies: [Reply] = []
            while try parser.consume(all, from: &offset) {
                replies.append(parser.reply)
                if offset == all.count { break }
            }
            return replies
        }
        #expect(replies == [Reply(250, nil, "one"), Reply(550, nil, "two")])
    }
}
