package import MailValues

/// How far somebody knows each origin.
package struct FactDigest: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        package var origin: NodeID
        package var incarnation: UInt64
        /// Up to here nothing is missing.
        package var mark: UInt64

        package init(origin: NodeID, incarnation: UInt64, mark: UInt64) {
            self.origin = origin
            self.incarnation = incarnation
            self.mark = mark
        }
    }

    package var entries: [Entry]

    package init(entries: [Entry]) { self.entries = entries }

    /// A number that is the same for the same entries in any order, and hardly ever for others: nodes that
    /// compare these first need not show each other all their marks while nothing happens.
    ///
    /// Who has said nothing is left out: only the origin itself knows in which incarnation it is silent.
    package var summary: UInt64 {
        entries.reduce(0) { sum, entry in
            guard entry.mark > 0 else { return sum }
            let words = entry.origin.summand ^ Self.mixed(entry.incarnation &* 0x9E37_79B9_7F4A_7C15)
            return sum &+ Self.mixed(words &+ Self.mixed(entry.mark))
        }
    }

    private static func mixed(_ word: UInt64) -> UInt64 {
        var word = word
        word = (word ^ word >> 32) &* 0xD6E8_FEB8_6659_FD93
        word = (word ^ word >> 32) &* 0xD6E8_FEB8_6659_FD93
        return word ^ word >> 32
    }
}

/// What somebody lacks of one origin: its floors, wherever they lie, then all that is still said in `(from, to]`,
/// oldest first.
///
/// What was superseded, trimmed or over since is covered without being sent: that the range says so, and not
/// the statements in it, is what lets a mark pass the holes. From 0 it is a snapshot.
package struct FactDelta: Sendable, Hashable {
    package var origin: NodeID
    package var incarnation: UInt64
    package var from: UInt64
    package var to: UInt64
    /// The newest batch that the origin is known to have signed: no mark passes what the origin itself reached.
    package var head: SignedBatch
    package var facts: [TravellingFact]

    package init(
        origin: NodeID, incarnation: UInt64, from: UInt64, to: UInt64, head: SignedBatch,
        facts: [TravellingFact]
    ) {
        self.origin = origin
        self.incarnation = incarnation
        self.from = from
        self.to = to
        self.head = head
        self.facts = facts
    }
}

extension NodeID {
    /// A key's octets are as good as chance, so any eight of them tell nodes apart.
    fileprivate var summand: UInt64 { octets.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
