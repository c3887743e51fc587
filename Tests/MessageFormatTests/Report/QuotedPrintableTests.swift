import Testing

@testable import MessageFormat

@Suite("Quoted-printable")
struct QuotedPrintableTests {
    struct Case: Sendable {
        let plain: String
        let encoded: String
        init(_ plain: String, _ encoded: String) {
            self.plain = plain
            self.encoded = encoded
        }
    }

    @Test(
        "text is encoded so that no gateway changes it, and comes back",
        arguments: [
            Case("plain text\r\n", "plain text\r\n"),
            Case("a=b", "a=3Db"),
            Case("ü", "=C3=BC"),
            Case("end \r\nnext\t\r\n", "end=20\r\nnext=09\r\n"),
            Case(".\r\n..\r\n", "=2E\r\n=2E.\r\n"),
            Case("bare\rCR\nLF", "bare=0DCR=0ALF"),
            Case(String(repeating: "x", count: 80), String(repeating: "x", count: 75) + "=\r\nxxxxx"),
            Case("", ""),
        ])
    func encodes(_ sample: Case) {
        var encoded: [UInt8] = []
        encoded.append(quotedPrintable: Array(sample.plain.utf8))
        #expect(String(decoding: encoded, as: UTF8.self) == sample.encoded)
        #expect(String(decoding: decodedQuotedPrintable(encoded[...]), as: UTF8.self) == sample.plain)
    }

    @Test("every octet survives, in lines of at most 76")
    func everyOctet() {
        let octets = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var encoded: [UInt8] = []
        encoded.append(quotedPrintable: octets)
        #expect(decodedQuotedPrintable(encoded[...]) == octets)
        #expect(encoded.split(separator: 0x0A).allSatisfy { $0.count <= 77 })
        #expect(encoded.allSatisfy { $0 < 0x7F })
    }

    @Test("what is no code stays as it is", arguments: ["=", "=4", "=XY", "a=\r", "=="])
    func lenient(_ text: String) {
        #expect(decodedQuotedPrintable(Array(text.utf8)[...]) == Array(text.utf8))
    }
}
