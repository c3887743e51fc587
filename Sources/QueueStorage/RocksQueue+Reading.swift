package import MailValues
package import QueueEngine

extension RocksQueue {
    package func envelope(_ id: QueueID) throws(StoreError) -> Envelope? {
        var reader = EnvelopeReader(epoch: epoch)
        var found: Envelope?
        try reading(id) { database throws(DatabaseError) in
            try database.walk(.envelope, from: id.octets, to: Key.end(of: id)) { key, value in
                reader.take(key, value) {
                    found = $0
                    return true
                }
            }
        }
        reader.finish {
            found = $0
            return true
        }
        if let damage = reader.damage { throw told(damage, id) }
        return found
    }

    package func contentPiece(_ id: QueueID, number: UInt32) throws(StoreError) -> [UInt8]? {
        try reading(id) { database throws(DatabaseError) in
            try database.get(.content, Key.numbered(id, number)) { [UInt8]($0) }
        }
    }

    /// A damaged envelope ends the scan with `damaged`, after those before it: what is not read must not be
    /// taken for not there.
    package func scan(_ body: (Envelope) -> Bool) throws(StoreError) {
        let before = health.statistics.waitingMessages
        var count = 0
        var reader = EnvelopeReader(epoch: epoch)
        var goesOn = true
        let counted: (Envelope) -> Bool = { envelope in
            count += 1
            goesOn = body(envelope)
            return goesOn
        }
        try withoutActuallyEscaping(counted) { counted throws(StoreError) in
            try reading { database throws(DatabaseError) in
                try database.walk(.envelope) { key, value in reader.take(key, value, counted) }
            }
            if goesOn { reader.finish(counted) }
        }
        if let damage = reader.damage { throw told(damage, nil) }
        if goesOn { health.counted(count, before: before) }
    }

    package func ledger(_ id: QueueID) throws(StoreError) -> [LedgerLine] {
        var lines: [LedgerLine] = []
        var damage: String?
        try reading(id) { database throws(DatabaseError) in
            try database.walk(.ledger, from: id.octets, to: Key.end(of: id)) { key, value in
                guard key.count == Key.ledgerOctets else { return true }
                do throws(StoredValueError) {
                    let text = try StoredValue.body(of: value)
                    let at = Int64(bigEndian: key.loadUnaligned(fromByteOffset: Key.idOctets, as: Int64.self))
                    lines.append(LedgerLine(id: id, at: Timestamp(milliseconds: at), line: [UInt8](text)))
                } catch {
                    damage = "ledger of \(id): \(error)"
                }
                return true
            }
        }
        if let damage { throw told(damage, id) }
        return lines
    }

    package func notes(
        under prefix: [UInt8], _ body: ([UInt8], [UInt8]) -> Bool
    ) throws(StoreError) {
        let start = Key.notePrefix + prefix
        var damage: String?
        try withoutActuallyEscaping(body) { body throws(StoreError) in
            try reading { database throws(DatabaseError) in
                try database.walk(.state, from: start, to: Key.end(ofPrefix: start)) { key, value in
                    let name = [UInt8](key.dropFirst(Key.notePrefix.count))
                    do throws(StoredValueError) {
                        return body(name, [UInt8](try StoredValue.body(of: value)))
                    } catch {
                        let shown = String(decoding: name, as: UTF8.self).printable(limit: 100)
                        damage = "note \(shown): \(error)"
                        return false
                    }
                }
            }
        }
        if let damage { throw told(damage, nil) }
    }

    /// Reads from the open database; damage is reported as such, never as absence, and the store's health
    /// tells of it.
    private func reading<R>(
        _ id: QueueID? = nil, _ body: (Database) throws(DatabaseError) -> R
    ) throws(StoreError) -> R {
        let result: R?
        do throws(DatabaseError) {
            result = try database.read(body)
        } catch {
            guard error.isDamage else { throw .sick(detail: error.detail) }
            health.found(StoreFinding(file: error.fileName ?? "the store", detail: error.detail, id: id))
            throw .damaged(detail: error.detail)
        }
        guard let result else { throw .sick(detail: "the store is not open") }
        return result
    }

    private func told(_ damage: String, _ id: QueueID?) -> StoreError {
        health.found(StoreFinding(file: "the store", detail: damage, id: id))
        return .damaged(detail: damage)
    }
}
