import CRocksDB

/// The Castagnoli checksum by which RocksDB guards log records, blocks of tables, and blobs.
struct CRC32C {
    /// Eight tables of 256: how an octet changes the checksum when 0 … 7 further octets have followed it.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = []
        for index in UInt32(0)..<256 {
            var value = index
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
            tables.append(value)
        }
        for index in 256..<2048 {
            let before = tables[index - 256]
            tables.append(tables[Int(before & 0xFF)] ^ before >> 8)
        }
        return tables
    }()

    /// The processor has an instruction for it.
    static let hasInstruction = crc32c_instruction_exists()

    private static let blockOctets = 3 * Int(crc32c_run)

    /// What each octet of the checksum, lowest first, becomes when a run of zeros has followed.
    private static let shift: [UInt32] = {
        let run = [UInt8](repeating: 0, count: blockOctets / 3)
        return (0..<1024).map { entry in
            crc32c_instruction(UInt32(entry & 255) << UInt32((entry >> 8) * 8), run, run.count)
        }
    }()

    private var state = ~UInt32(0)

    init() {}

    /// Goes on where another one ended with `value`.
    init(after value: UInt32) { state = ~value }

    var value: UInt32 { ~state }

    /// As it stands in a record: turned and shifted, so that a checksum over data that hold checksums stays a
    /// good one.
    var masked: UInt32 {
        let value = value
        return (value >> 15 | value << 17) &+ 0xA282_EAD8
    }

    static func masked(of octets: UnsafeRawBufferPointer) -> UInt32 {
        var crc = CRC32C()
        crc.update(octets)
        return crc.masked
    }

    mutating func update(_ octet: UInt8) {
        state = Self.tables[Int((state ^ UInt32(octet)) & 0xFF)] ^ state >> 8
    }

    mutating func update(_ octets: UnsafeRawBufferPointer) {
        if Self.hasInstruction {
            let blocks = octets.count / Self.blockOctets
            if blocks > 0, let start = octets.baseAddress {
                state = Self.shift.withUnsafeBufferPointer {
                    crc32c_blocks(state, start, blocks, $0.baseAddress!)
                }
            }
            let rest = UnsafeRawBufferPointer(rebasing: octets[(blocks * Self.blockOctets)...])
            state = crc32c_instruction(state, rest.baseAddress, rest.count)
        } else {
            updateByTable(octets)
        }
    }

    /// Eight octets a step.
    mutating func updateByTable(_ octets: UnsafeRawBufferPointer) {
        Self.tables.withUnsafeBufferPointer { table in
            var state = state
            var offset = 0
            while offset + 8 <= octets.count {
                let word = UInt64(littleEndian: octets.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                let mixed = word ^ UInt64(state)
                state =
                    table[1792 + Int(mixed & 0xFF)] ^ table[1536 + Int(mixed >> 8 & 0xFF)]
                    ^ table[1280 + Int(mixed >> 16 & 0xFF)] ^ table[1024 + Int(mixed >> 24 & 0xFF)]
                state ^=
                    table[768 + Int(mixed >> 32 & 0xFF)] ^ table[512 + Int(mixed >> 40 & 0xFF)]
                    ^ table[256 + Int(mixed >> 48 & 0xFF)] ^ table[Int(mixed >> 56)]
                offset += 8
            }
            while offset < octets.count {
                state = table[Int((state ^ UInt32(octets[offset])) & 0xFF)] ^ state >> 8
                offset += 1
            }
            self.state = state
        }
    }
}
