import MailValues

/// The forms of key. Numbers stand most significant octet first, so that keys sort as their numbers do.
enum Key {
    /// A queue id.
    static let idOctets = 16
    /// An id and a 32-bit number: content, progress, amendment.
    static let numberedOctets = 20
    /// An id, a time and a counter.
    static let ledgerOctets = 28
    static let longestOctets = 32

    /// Stands where the index of a recipient would, and sorts after all of them.
    static let amendment = UInt32.max

    static let format: [UInt8] = Array("format".utf8)
    static let epoch: [UInt8] = Array("epoch".utf8)
    /// Before the id of a message whose chunks are being written and whose envelope is not there yet.
    static let chunksPrefix: [UInt8] = Array("chunks/".utf8)

    /// Before the key of a note (`QueueChange.note`).
    static let notePrefix: [UInt8] = Array("note/".utf8)

    static func numbered(_ id: QueueID, _ number: UInt32) -> [UInt8] {
        var key = id.octets
        for shift: UInt32 in [24, 16, 8, 0] { key.append(UInt8(truncatingIfNeeded: number >> shift)) }
        return key
    }

    /// The key right after all of the id's.
    static func end(of id: QueueID) -> [UInt8] { id.octets + Array(repeating: 0xFF, count: 16) }

    /// The first key behind all that begin so; `prefix` does not consist of 0xFF alone.
    static func end(ofPrefix prefix: [UInt8]) -> [UInt8] {
        var end = prefix
        while end.last == 0xFF { end.removeLast() }
        end[end.count - 1] += 1
        return end
    }

    static func id(_ key: UnsafeRawBufferPointer) -> QueueID? {
        guard key.count >= idOctets else { return nil }
        return QueueID(
            high: UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
            low: UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }

    static func number(_ key: UnsafeRawBufferPointer) -> UInt32? {
        guard key.count == numberedOctets else { return nil }
        return UInt32(bigEndian: key.loadUnaligned(fromByteOffset: 16, as: UInt32.self))
    }
}
