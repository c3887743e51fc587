import Glibc
import Testing

@testable import QueueStorage

@Suite("The checksum of log records")
struct ChecksumTests {
    @Test("the standard's check value comes out, by instruction and by table")
    func checkValue() {
        let octets = Array("123456789".utf8)
        var either = CRC32C()
        octets.withUnsafeBytes { either.update($0) }
        var table = CRC32C()
        octets.withUnsafeBytes { table.updateByTable($0) }
        // RFC 3720 §B.4 has the polynomial; the value is the one that catalogues of checksums list for it.
        #expect(either.value == 0xE306_9283)
        #expect(table.value == 0xE306_9283)
    }

    @Test("instruction and table agree at every length, alignment and cut")
    func agreement() {
        let octets = (0..<2_600).map { UInt8(truncatingIfNeeded: $0 * 2_654_435_761 >> 13) }
        octets.withUnsafeBytes { octets in
            for start in 0..<9 {
                for end in stride(from: start, through: octets.count, by: 29) {
                    let part = UnsafeRawBufferPointer(rebasing: octets[start..<end])
                    let cut = part.count / 3
                    var whole = CRC32C()
                    whole.updateByTable(part)
                    var first = CRC32C()
                    first.update(UnsafeRawBufferPointer(rebasing: part[..<cut]))
                    var rest = CRC32C(after: first.value)
                    rest.update(UnsafeRawBufferPointer(rebasing: part[cut...]))
                    #expect(rest.value == whole.value, "octets \(start) to \(end)")
                }
            }
        }
    }

    @Test("the library asks us for its checksums")
    func inPlaceOfLibrary() throws {
        let name = "_ZN7rocksdb6crc32c6ExtendEjPKcm"
        let library = try #require(dlopen("librocksdb.so.7.8", RTLD_LAZY | RTLD_NOLOAD))
        defer { dlclose(library) }
        let ofLibrary = try #require(dlsym(library, name))
        let inForce = try #require(dlsym(nil, name))
        #expect(inForce != ofLibrary)
    }
}
