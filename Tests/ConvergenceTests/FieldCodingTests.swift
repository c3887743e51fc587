import Convergence
import Testing

@Suite("Fields")
struct FieldCodingTests {
    private var sample: [UInt8] {
        var writer = FieldWriter()
        writer.number(1, 300)
        writer.number(2, 0)
        writer.float(3, 1.5)
        writer.bytes(4, "octets".utf8)
        writer.element(5, [])
        writer.number(6, .max)
        return writer.octets
    }

    private func fields(_ octets: [UInt8]) -> (found: [UInt8: FieldReader.Value], isBroken: Bool) {
        var reader = FieldReader(octets)
        var found: [UInt8: FieldReader.Value] = [:]
        while let (field, value) = reader.next() { found[field] = value }
        return (found, reader.isBroken)
    }

    @Test("what is written is read again, and zeros take no room")
    func roundTrip() {
        let (found, isBroken) = fields(sample)
        #expect(!isBroken && found.count == 5)
        #expect(found[1] == .number(300) && found[3] == .float(1.5) && found[6] == .number(.max))
        #expect(found[4] == .bytes(Array("octets".utf8)[...]) && found[5] == .bytes([]))
    }

    @Test("cut at any octet it is broken or shorter, and never more than was sent")
    func cuts() {
        let octets = sample
        for length in octets.indices {
            let (found, isBroken) = fields(Array(octets[..<length]))
            #expect(isBroken || found.count < 5)
        }
    }

    @Test(
        "what is no field ends the reading",
        arguments: [
            [0x00, 0x01], [0x0B], [0x09, 0, 0, 0, 0, 0, 0, 0, 0], [0x80], [0x0A, 0x05, 1],
            [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02],
            [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
        ] as [[UInt8]])
    func refuses(_ octets: [UInt8]) {
        let (found, isBroken) = fields(octets)
        #expect(isBroken && found.isEmpty)
    }
}
