import MailValues
import Testing

@testable import SMTPProtocol

@Suite("Content of messages")
struct ContentReaderTests {
    struct Case: Sendable {
        let sent: String
        let kept: String
        var facts: MessageFacts

        init(_ sent: String, _ kept: String, repaired: Bool = false, eightBit: Bool = false) {
            self.sent = sent
            self.kept = kept
            facts = MessageFacts(
                sizeOctets: kept.utf8.count, repairedLineEnds: repaired, hasEightBit: eightBit)
        }
    }

    @Test(
        "dots and ends of lines",
        arguments: [
            Case("", ""),
            Case("a\r\n", "a\r\n"),
            Case("..\r\n", ".\r\n"),
            Case(".a\r\n..b\r\nc.\r\n", "a\r\n.b\r\nc.\r\n"),
            Case("a\nb\r\n", "a\r\nb\r\n", repaired: true),
            Case("a\rb\r\n", "a\r\nb\r\n", repaired: true),
            Case("a\r\r\n", "a\r\n\r\n", repaired: true),
            Case("a\n..b\r\n", "a\r\n..b\r\n", repaired: true),
            Case(".\n\r\n", "\r\n\r\n", repaired: true),
            Case(".\r.\r\n", "\r\n.\r\n", repaired: true),
            Case("ä\r\n", "ä\r\n", eightBit: true),
            Case(
                "\tlong enough for a step, a tab\tand an ö at the end\r\n",
                "\tlong enough for a step, a tab\tand an ö at the end\r\n", eightBit: true),
        ]
    )
    func dots(_ sample: Case) {
        let octets = Array((sample.sent + ".\r\nNOOP ä\r\n").utf8)
        for cut in 0...octets.count - "\nNOOP ä\r\n".utf8.count {
            var reader = ContentReader(.dots, expectedOctets: 0)
            var content: [UInt8] = []
            let first = read(&reader, Array(octets[..<cut]), &content)
            #expect(first.count == cut && !first.ended)
            let second = read(&reader, Array(octets[cut...]), &content)
            #expect(second.ended)
            #expect(cut + second.count == sample.sent.utf8.count + 3)
            #expect(content == Array(sample.kept.utf8), "cut at \(cut)")
            #expect(reader.facts == sample.facts)
        }
    }

    @Test("a message in two reads leaves as one piece")
    func onePiece() {
        let line = String(repeating: "x", count: 70) + "\r\n"
        let body = String(repeating: line, count: 57)
        var talk = ServerConversation()
        talk.receive(
            "HELO client.example\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
        talk.receive(String(body.prefix(2048)))
        talk.receive(String(body.dropFirst(2048)) + ".\r\n")
        #expect(talk.pieceCounts == [body.utf8.count])
        #expect(talk.messages.first?.content == Array(body.utf8))
    }

    @Test("a large message leaves in pieces of the size set", arguments: [1, 2, 3, 7, 100, 4096])
    func pieces(_ limit: Int) {
        var options = SessionOptions.testing
        options.limits.contentPieceOctets = limit
        let body = String(repeating: "0123456789\r\n.\n", count: 60)
        var talk = ServerConversation(options)
        talk.receive(
            "HELO client.example\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")
        talk.receive(body + "\r\n.\r\n")
        #expect(talk.messages.count == 1)
        #expect(talk.pieceCounts.dropLast().allSatisfy { $0 == limit })
        #expect((1...limit).contains(talk.pieceCounts.last ?? 0))
    }

    @Test("a chunked message without a final end of line gets one")
    func unfinishedLine() {
        var talk = ServerConversation()
        talk.receive(
            "HELO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nBDAT 3 LAST\r\none"
        )
        #expect(talk.messages.map(\.content) == [Array("one\r\n".utf8)])
        #expect(talk.messages.first?.facts.repairedLineEnds == false)
    }

    @Test("ends of lines are found wherever they lie", arguments: 0..<40)
    func lineEnds(_ position: Int) {
        for end in [UInt8(0x0A), 0x0D] {
            var octets = (0..<40).map { UInt8($0 % 3 == 0 ? 0x09 : 0x8F) }
            octets[position] = end
            octets.withUnsafeBytes { octets in
                var seen: UInt64 = 0
                for start in 0...position {
                    #expect(LineEnds.next(in: octets, from: start, seen: &seen) == position)
                }
                #expect(LineEnds.next(in: octets, from: position + 1, seen: &seen) == 40)
            }
        }
    }

    @Test("an octet above 127 is seen before an end of line, and not behind it", arguments: 0..<40)
    func eightBit(_ position: Int) {
        for end in 0..<40 where end != position {
            var octets = [UInt8](repeating: 0x78, count: 40)
            octets[position] = 0xE4
            octets[end] = 0x0A
            octets.withUnsafeBytes { octets in
                var seen: UInt64 = 0
                #expect(LineEnds.next(in: octets, from: 0, seen: &seen) == end)
                #expect(LineEnds.hasEightBit(seen) == (position < end))
            }
        }
    }

    @Test("which of several limits was passed does not hang on where the octets were cut", arguments: 0..<40)
    func limits(_ seed: UInt64) {
        var options = SessionOptions.testing
        options.limits.messageOctets = 60
        options.limits.headerOctets = 40
        options.limits.textLineOctets = 20
        let settings = SessionSettings(options)
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func chance(_ bound: UInt64) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % bound)
        }
        for _ in 0..<50 {
            var octets: [UInt8] = []
            for _ in 0..<1 + chance(6) {
                octets += Array(repeating: 0x78, count: chance(45))
                octets +=
                    [
                        [0x0D, 0x0A], [0x0D, 0x0A], [0x0D, 0x0A, 0x0D, 0x0A], [0x0A],
                        [0x0D, 0x0A, 0x2E, 0x2E],
                    ][chance(5)]
            }
            octets += [0x0D, 0x0A, 0x2E, 0x0D, 0x0A]
            let failures = [octets.count, 1, 2, 7, 33].map { step in
                var reader = ContentReader(.dots, expectedOctets: 0)
                for start in stride(from: 0, to: octets.count, by: step) {
                    let part = Array(octets[start..<min(start + step, octets.count)])
                    var actions: [ServerAction] = []
                    let result = part.withUnsafeBytes { reader.read($0, settings, into: &actions) }
                    if result.ended { break }
                }
                return reader.failure
            }
            #expect(Set(failures).count == 1, "\(String(decoding: octets, as: UTF8.self).debugDescription)")
        }
    }

    private static let settings = SessionSettings(.testing)

    private func read(
        _ reader: inout ContentReader, _ octets: [UInt8], _ content: inout [UInt8]
    ) -> (count: Int, ended: Bool) {
        var actions: [ServerAction] = []
        let result = octets.withUnsafeBytes { reader.read($0, Self.settings, into: &actions) }
        for case .content(let piece) in actions { content += piece }
        return result
    }
}
