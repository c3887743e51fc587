extension Manifest {
    /// One change of what the store consists of, as a record of the manifest tells it (RocksDB's
    /// `VersionEdit`).
    struct Edit {
        private(set) var family: UInt32 = 0
        private(set) var familyAdded: String?
        private(set) var firstLog: UInt64?
        private(set) var firstLogKept: UInt64?
        private(set) var lastSequence: UInt64?
        private(set) var tablesAdded: [(UInt64, Table)] = []
        private(set) var tablesDeleted: [UInt64] = []
        private(set) var blobsAdded: [(UInt64, Blob)] = []
        private(set) var garbage: [(UInt64, UInt64)] = []
        private(set) var logsClosed: [(UInt64, Int)] = []
        private(set) var logsDeletedBefore: UInt64?
        /// Edits that follow and belong to this one.
        private(set) var remainingInGroup: UInt32 = 0

        /// The tags that our version of RocksDB writes; those above `ignorable` may be passed over.
        private enum Tag: UInt32 {
            case comparator = 1, logNumber, nextFile, lastSequence, cursor, tableDeleted
            case previousLog = 9, firstLogKept = 10
            case tableAdded = 103
            case family = 200, familyAdded, familyDropped, largestFamily
            case group = 300
            case blobAdded = 400, blobGarbage
        }
        private static let ignorable: UInt32 = 1 << 13
        private static let logClosed = ignorable + 7
        private static let logsDeleted = ignorable + 8

        init?(_ octets: UnsafeRawBufferPointer) {
            var reader = OctetReader(octets)
            while !reader.isAtEnd {
                guard let tag = reader.varint32(), take(tag, &reader) else { return nil }
            }
            // The family stands behind what belongs to it.
            for index in tablesAdded.indices { tablesAdded[index].1.family = family }
            for index in blobsAdded.indices { blobsAdded[index].1.family = family }
        }

        private mutating func take(_ raw: UInt32, _ reader: inout OctetReader) -> Bool {
            if raw > Self.ignorable { return takeIgnorable(raw, &reader) }
            switch Tag(rawValue: raw) {
            case .comparator: return reader.text() != nil
            case .logNumber:
                firstLog = reader.varint()
                return firstLog != nil
            case .lastSequence:
                lastSequence = reader.varint()
                return lastSequence != nil
            case .firstLogKept:
                firstLogKept = reader.varint()
                return firstLogKept != nil
            case .nextFile, .previousLog, .largestFamily: return reader.varint() != nil
            case .cursor: return reader.varint() != nil && reader.text() != nil
            case .tableDeleted:
                guard reader.varint() != nil, let number = reader.varint() else { return false }
                tablesDeleted.append(number)
                return true
            case .tableAdded: return takeTable(&reader)
            case .family:
                guard let number = reader.varint32() else { return false }
                family = number
                return true
            case .familyAdded:
                guard let name = reader.text() else { return false }
                familyAdded = String(decoding: name, as: UTF8.self)
                return true
            case .group:
                guard let count = reader.varint32() else { return false }
                remainingInGroup = count
                return true
            case .blobAdded: return takeBlob(&reader)
            case .blobGarbage:
                guard let number = reader.varint(), let count = reader.varint(), reader.varint() != nil,
                    Self.skipFields(&reader, end: 0)
                else { return false }
                garbage.append((number, count))
                return true
            // We drop no family.
            case .familyDropped, nil: return false
            }
        }

        private mutating func takeIgnorable(_ tag: UInt32, _ reader: inout OctetReader) -> Bool {
            guard let body = reader.text() else { return false }
            var inner = OctetReader(body)
            if tag == Self.logClosed {
                guard let number = inner.varint() else { return false }
                var octets: Int?
                while let tag = inner.varint32(), tag != 1 {
                    guard tag == 2, let size = inner.size() else { return false }
                    octets = size
                }
                if let octets { logsClosed.append((number, octets)) }
            } else if tag == Self.logsDeleted {
                logsDeletedBefore = inner.varint()
            }
            return true
        }

        private mutating func takeTable(_ reader: inout OctetReader) -> Bool {
            guard reader.varint() != nil, let number = reader.varint(), let octets = reader.size(),
                reader.text() != nil, reader.text() != nil, reader.varint() != nil, reader.varint() != nil
            else { return false }
            var table = Table(family: 0, octets: octets, oldestBlob: 0)
            while let field = reader.varint32() {
                if field == 1 {
                    tablesAdded.append((number, table))
                    return true
                }
                guard let value = reader.text() else { return false }
                var inner = OctetReader(value)
                if field == 3 { firstLogKept = inner.fixed64() }
                if field == 4 { table.oldestBlob = inner.varint() ?? 0 }
            }
            return false
        }

        private mutating func takeBlob(_ reader: inout OctetReader) -> Bool {
            guard let number = reader.varint(), let count = reader.varint(), let octets = reader.size(),
                reader.text() != nil, reader.text() != nil, Self.skipFields(&reader, end: 0),
                octets < 1 << 48
            else { return false }
            blobsAdded.append((number, Blob(family: 0, count: count, recordOctets: octets)))
            return true
        }

        private static func skipFields(_ reader: inout OctetReader, end: UInt32) -> Bool {
            while let field = reader.varint32() {
                if field == end { return true }
                guard reader.text() != nil else { return false }
            }
            return false
        }
    }
}
