import MailValues
import QueueEngine
import Testing

@Suite("The index of fingerprints")
struct FingerprintIndexTests {
    private func fingerprint(_ number: UInt8) -> Fingerprint {
        Fingerprint(.body, digest: [UInt8](repeating: number, count: 32))!
    }
    private func id(_ number: UInt64) -> QueueID { QueueID(high: 1, low: number) }

    @Test("finds who bears a fingerprint, in order, and forgets who has left")
    func finds() {
        var index = FingerprintIndex()
        for number: UInt64 in [3, 1, 2] { index.insert([fingerprint(1)], of: id(number)) }
        index.insert([fingerprint(2), fingerprint(1)], of: id(1))
        #expect(index.bearers(of: fingerprint(1)) == [id(1), id(2), id(3)])
        #expect(index.bearers(of: fingerprint(2)) == [id(1)])
        #expect(index.bearers(of: fingerprint(3)) == [])
        index.remove([fingerprint(1), fingerprint(2)], of: id(1))
        index.remove([fingerprint(2)], of: id(2))
        #expect(index.bearers(of: fingerprint(1)) == [id(2), id(3)])
        index.remove([fingerprint(1)], of: id(2))
        index.remove([fingerprint(1)], of: id(3))
        #expect(index.count == 0)
    }
}
