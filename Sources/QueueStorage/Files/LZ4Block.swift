/// Undoes LZ4, in which RocksDB writes the tables of the ledger.
enum LZ4Block {
    /// A block of ours is 16 KiB, or one value more; what claims to be larger is not believed.
    static let octetsLargest = 16 << 20

    /// The size of the result as a number, then sequences: literals, and a distance back to what is repeated.
    static func decoded(_ octets: UnsafeRawBufferPointer) -> [UInt8]? {
        var reader = OctetReader(octets)
        guard let size = reader.size(), size <= octetsLargest else { return nil }
        var output: [UInt8] = []
        output.reserveCapacity(size)
        while let token = reader.octet() {
            guard let literals = length(Int(token >> 4), &reader), let text = reader.take(literals),
                output.count + literals <= size
            else { return nil }
            output.append(contentsOf: text)
            // The last sequence has no match.
            if reader.isAtEnd { break }
            guard let low = reader.octet(), let high = reader.octet(),
                let match = length(Int(token & 15), &reader), output.count + match + 4 <= size
            else { return nil }
            let distance = Int(high) << 8 | Int(low)
            guard distance > 0, distance <= output.count else { return nil }
            // What is repeated may reach into its own repetition.
            for _ in 0..<(match + 4) { output.append(output[output.count - distance]) }
        }
        return output.count == size ? output : nil
    }

    private static func length(_ first: Int, _ reader: inout OctetReader) -> Int? {
        guard first == 15 else { return first }
        var length = 15
        while let octet = reader.octet() {
            length += Int(octet)
            if octet < 255 { return length }
            if length > octetsLargest { return nil }
        }
        return nil
    }
}
