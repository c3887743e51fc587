package import MailValues

/// One statement of one origin: a value about a key, as its origin wrote and signed it.
package struct FactRecord: Sendable, Hashable {
    package var key: FactKey
    package var counter: UInt64
    /// Nil: deleted before its time was over.
    package var value: [UInt8]?
    /// How long it holds, in milliseconds from when it was said; nil: until the origin says otherwise.
    package var lifetime: Int64?
    /// The origin's wall clock when it was said: for people, and for merges that ask which was first. Never
    /// believed further than `StampClock` does.
    package var stamp: Timestamp
    /// What shows that the origin said it; nil in the origin itself until the batch is closed.
    package var seal: Seal?

    package init(
        key: FactKey, counter: UInt64, value: [UInt8]?, lifetime: Int64?, stamp: Timestamp, seal: Seal? = nil
    ) {
        self.key = key
        self.counter = counter
        self.value = value
        self.lifetime = lifetime
        self.stamp = stamp
        self.seal = seal
    }

    /// What counts against `FactBounds.octets`.
    package var sizeOctets: Int { key.subject.count + (value?.count ?? 0) }
}

/// What an origin signed at once: the counters `last - count + 1 ... last` of one incarnation.
///
/// The root is that of a Merkle tree with one leaf for each counter, so that each statement can travel alone
/// with its path and one check of the signature serves them all.
package final class SignedBatch: Sendable, Hashable {
    package let origin: NodeID
    package let incarnation: UInt64
    package let last: UInt64
    package let count: Int
    /// 32 octets.
    package let root: [UInt8]
    /// 64 octets.
    package let signature: [UInt8]

    package init(
        origin: NodeID, incarnation: UInt64, last: UInt64, count: Int, root: [UInt8], signature: [UInt8]
    ) {
        self.origin = origin
        self.incarnation = incarnation
        self.last = last
        self.count = count
        self.root = root
        self.signature = signature
    }

    /// The leaf of a counter, or nil if the batch does not reach there.
    package func leaf(of counter: UInt64) -> Int? {
        guard counter <= last, last - counter < UInt64(clamping: count) else { return nil }
        return count - 1 - Int(last - counter)
    }

    package static func == (left: SignedBatch, right: SignedBatch) -> Bool {
        left === right
            || left.origin == right.origin && left.incarnation == right.incarnation
                && left.last == right.last && left.count == right.count && left.root == right.root
                && left.signature == right.signature
    }

    /// The signature stands for the rest: what is equal has the same.
    package func hash(into hasher: inout Hasher) { hasher.combine(signature) }
}

/// A batch, and the way from one statement up to its root.
package struct Seal: Sendable, Hashable {
    package let batch: SignedBatch
    /// The neighbours from the leaf upwards, 32 octets each.
    package let path: [UInt8]

    package init(batch: SignedBatch, path: [UInt8]) {
        self.batch = batch
        self.path = path
    }
}

/// A statement on its way: how long ago it was said travels beside it, because clocks of nodes differ.
package struct TravellingFact: Sendable, Hashable {
    package var record: FactRecord
    /// Milliseconds since it was said, as far as its bearers know; not signed, so a bearer can make a statement
    /// look younger, but never make it live longer than its lifetime here.
    package var age: Int64

    package init(record: FactRecord, age: Int64) {
        self.record = record
        self.age = age
    }
}
