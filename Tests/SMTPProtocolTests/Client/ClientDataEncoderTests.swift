import Testing

@testable import SMTPProtocol

@Suite("Content on its way into DATA")
struct ClientDataEncoderTests {
    private static func encoded(_ pieces: [[UInt8]]) -> [UInt8] {
        var encoder = DataEncoder()
        return pieces.flatMap { encoder.encode($0) } + encoder.ending()
    }

    /// The lines that a receiver sees who believes in CRLF alone, dots removed; nil where it finds an end
    /// before the end.
    private static func received(_ octets: [UInt8]) -> String? {
        var content: [UInt8] = []
        var line: [UInt8] = []
        for (index, octet) in octets.enumerated() {
            line.append(octet)
            guard octet == 0x0A, line.dropLast().last == 0x0D else { continue }
            if line == [0x2E, 0x0D, 0x0A] {
                return index == octets.count - 1 ? String(decoding: content, as: UTF8.self) : nil
            }
            content += line.first == 0x2E ? line.dropFirst() : line[...]
            line = []
        }
        return nil
    }

    @Test(
        "arrives as it was, ended by one dot",
        arguments: [
            "", "a\r\n", ".\r\n", "..\r\n", ".a\r\n.b\r\n", "a\r\n.\r\nb\r\n", "\r\n.\r\n", "a.\r\n",
            "\r\n\r\n",
            String(repeating: "x", count: 100) + "\r\n." + String(repeating: "y", count: 100) + "\r\n",
            String(repeating: "0123456789\r\n", count: 30) + ".\r\n",
        ])
    func roundTrip(_ content: String) {
        let octets = Array(content.utf8)
        let whole = Self.encoded([octets])
        #expect(Self.received(whole) == content)
        for cut in 0...octets.count {
            #expect(Self.encoded([Array(octets[..<cut]), Array(octets[cut...])]) == whole, "cut at \(cut)")
        }
        #expect(Self.encoded(octets.map { [$0] }) == whole)
    }

    @Test("never holds a CR or LF alone, nor a dot that could end it early")
    func smuggling() {
        let ends = ["\r\n", "\n", "\r", "\r\r\n", "\n\r", "\r\n\n", "\u{0}\n"]
        for before in ends {
            for after in ends {
                for filler in [0, 30, 33] {
                    let text =
                        "x" + String(repeating: "f", count: filler) + before + "." + after + "RSET" + after
                    let octets = Array(text.utf8)
                    for cut in 0...octets.count {
                        let sent = Self.encoded([Array(octets[..<cut]), Array(octets[cut...])])
                        Self.expectOneMessage(sent)
                    }
                }
            }
        }
    }

    /// Whatever a receiver takes for an end of line, the only line of one dot is the last one.
    private static func expectOneMessage(_ sent: [UInt8]) {
        var previous: UInt8 = 0
        for octet in sent {
            if (octet == 0x0A) != (previous == 0x0D) {
                Issue.record("a CR or LF stands alone in \(sent)")
                return
            }
            previous = octet
        }
        #expect(received(sent) != nil)
        let loose = sent.split(omittingEmptySubsequences: false) { $0 == 0x0A || $0 == 0x0D }
        #expect(loose.dropLast(3).allSatisfy { $0 != [0x2E] })
        #expect(sent.suffix(3) == [0x2E, 0x0D, 0x0A])
    }

    @Test("passes untouched where nothing has to change")
    func untouched() {
        var encoder = DataEncoder()
        let piece = Array(String(repeating: "a line of text\r\n", count: 300).utf8)
        let same = encoder.encode(piece)
        let isSameMemory = piece.withUnsafeBytes { before in
            same.withUnsafeBytes { $0.baseAddress == before.baseAddress }
        }
        #expect(isSameMemory)
    }

    @Test("gets the end of its last line if that is missing")
    func unfinished() {
        #expect(Self.encoded([Array("a".utf8)]) == Array("a\r\n.\r\n".utf8))
        #expect(Self.encoded([Array("a\r".utf8)]) == Array("a\r\n.\r\n".utf8))
    }
}
