package import MailValues

/// Which messages of the queue bear a fingerprint: a verdict that comes after them finds them here, and the queue
/// itself need not be read.
///
/// It goes by the first eight octets of digests, so it may name a message too many, and never one too few.
package struct FingerprintIndex: Sendable {
    /// Most fingerprints belong to one message; a campaign's belongs to as many as there are.
    private enum Bearers: Sendable {
        case one(QueueID)
        case many(Set<QueueID>)
    }

    private var bearers: [UInt64: Bearers] = [:]

    package init() {}

    /// Different fingerprints that are borne.
    package var count: Int { bearers.count }

    package mutating func insert(_ fingerprints: [Fingerprint], of id: QueueID) {
        for fingerprint in fingerprints {
            switch bearers[fingerprint.word] {
            case nil: bearers[fingerprint.word] = .one(id)
            case .one(id): break
            case .one(let other): bearers[fingerprint.word] = .many([other, id])
            case .many(var all):
                bearers[fingerprint.word] = nil  // so that the set is not copied
                all.insert(id)
                bearers[fingerprint.word] = .many(all)
            }
        }
    }

    package mutating func remove(_ fingerprints: [Fingerprint], of id: QueueID) {
        for fingerprint in fingerprints {
            switch bearers[fingerprint.word] {
            case .one(id): bearers[fingerprint.word] = nil
            case nil, .one: break
            case .many(var all):
                bearers[fingerprint.word] = nil
                all.remove(id)
                if !all.isEmpty { bearers[fingerprint.word] = .many(all) }
            }
        }
    }

    /// In order of their acceptance.
    package func bearers(of fingerprint: Fingerprint) -> [QueueID] {
        switch bearers[fingerprint.word] {
        case nil: []
        case .one(let id): [id]
        case .many(let all): all.sorted()
        }
    }
}
