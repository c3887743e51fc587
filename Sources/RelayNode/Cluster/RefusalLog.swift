import MailValues

/// Says of whom something was refused and why: at once, and then once in a while with how often.
///
/// Who wants to fill a disk with our complaints would otherwise only have to lie often enough.
struct RefusalLog {
    private struct Key: Hashable {
        var bearer: NodeID
        var reason: String
    }

    private struct Entry {
        var toldAt: Uptime
        var untold: UInt64 = 0
    }

    static let pause: Duration = .seconds(60)
    /// Members times reasons; beyond it nothing new is told of, and all is counted elsewhere.
    private static let entriesMost = 4096

    private var entries: [Key: Entry] = [:]

    /// How many to tell of now, this one among them; nil: not now.
    mutating func count(_ reason: String, of bearer: NodeID, now: Uptime) -> UInt64? {
        let key = Key(bearer: bearer, reason: reason)
        guard var entry = entries[key] else {
            guard entries.count < Self.entriesMost else { return nil }
            entries[key] = Entry(toldAt: now)
            return 1
        }
        entry.untold += 1
        guard now - entry.toldAt >= Self.pause else {
            entries[key] = entry
            return nil
        }
        entries[key] = Entry(toldAt: now)
        return entry.untold
    }
}
