import Filtering
import MailValues
import Testing

@Suite("Fingerprints")
struct FingerprintTests {
    @Test("octets and text lead back to the fingerprint, and nothing else is one")
    func leadsBack() throws {
        for kind in Fingerprint.Kind.allCases {
            let fingerprint = try #require(Fingerprint(kind, digest: (0..<32).map { UInt8($0 * 8) }))
            #expect(Fingerprint(octets: fingerprint.octets) == fingerprint)
            #expect(Fingerprint(fingerprint.description) == fingerprint)
        }
        #expect(Fingerprint(octets: [9] + [UInt8](repeating: 0, count: 32)) == nil)
        #expect(Fingerprint(octets: [1] + [UInt8](repeating: 0, count: 31)) == nil)
        for text in [
            "", "body:", "body:" + String(repeating: "+1", count: 32),
            "head:" + String(repeating: "00", count: 32),
        ] {
            #expect(Fingerprint(text) == nil)
        }
    }

    private func normalised(_ pieces: [String]) -> String {
        var body = NormalisedBody()
        var text: [UInt8] = []
        for piece in pieces { body.append(piece.utf8, to: &text) }
        return String(decoding: text, as: UTF8.self)
    }

    @Test("case, white space, digits and marks are free to vary, words are not, and cuts do not matter")
    func normalises() {
        let text = normalised(["Dear CUSTOMER,\r\n your code 1234 is *ready*"])
        #expect(text == "dearcustomeryourcodeisready")
        #expect(normalised(["dear customer, yo", "ur code 99 is rea", "dy!"]) == text)
        #expect(normalised(["dear customer your card is ready"]) != text)
        #expect(normalised(["Ünï 1"]) == "Ünï")
    }

    @Test("a short text is nobody's fingerprint")
    func short() {
        var body = NormalisedBody()
        var text: [UInt8] = []
        body.append("OK, thanks".utf8, to: &text)
        #expect(!body.isTelling)
        body.append([UInt8](repeating: 0x61, count: 64), to: &text)
        #expect(body.isTelling)
    }
}
