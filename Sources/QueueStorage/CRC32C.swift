/// The Castagnoli checksum by which RocksDB guards its log records.
struct CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
    }

    private var state = ~UInt32(0)

    var value: UInt32 { ~state }

    /// As it stands in a record: turned and shifted, so that a checksum over data that hold checksums stays a
    /// good one.
    var masked: UInt32 {
        let value = value
        return (value >> 15 | value << 17) &+ 0xA282_EAD8
    }

    mutating func update(_ octet: UInt8) {
        state = Self.table[Int((state ^ UInt32(octet)) & 0xFF)] ^ state >> 8
    }

    mutating func update(_ octets: UnsafeRawBufferPointer) {
        Self.table.withUnsafeBufferPointer { table in
            var state = state
            for octet in octets { state = table[Int((state ^ UInt32(octet)) & 0xFF)] ^ state >> 8 }
            self.state = state
        }
    }
}
