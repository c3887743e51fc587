import Convergence
import MailValues
import SwiftProtobuf

/// What one message about facts may hold; what one of our version writes is well below.
enum FactsBounds {
    /// A frame of ours holds at most `GossipSettings.frameOctets` of them; each costs the reader a check of a signature.
    static let batches = 2048
    static let facts = 16_384
    static let origins = 4096
    static let subjectOctets = 512
    static let valueOctets = 64 * 1024
    /// No counter and no incarnation is above it: one more must always be possible.
    static let counterHighest = UInt64(1) << 62
    /// Ten years in milliseconds.
    static let lifetimeLongest = UInt64(10 * 365) * 86_400_000
}

extension GossipMessage {
    /// From a part of an envelope. Every list and number is bounded before it is used.
    init(_ message: Chappe_Cluster_Gossip) throws(FrameError) {
        guard message.batches.count <= FactsBounds.batches else { throw .malformed("number of batches") }
        var batches: [SignedBatch] = []
        batches.reserveCapacity(message.batches.count)
        for batch in message.batches { batches.append(try Self.batch(batch)) }
        var budget = FactsBounds.facts
        switch message.body {
        case .push(let push): self = .push(try Self.facts(push.facts, batches, &budget))
        case .summary(let sum): self = .summary(sum, words: Self.words(message))
        case .digest(let digest):
            guard digest.marks.count <= FactsBounds.origins else { throw .malformed("number of marks") }
            var entries: [FactDigest.Entry] = []
            for mark in digest.marks {
                entries.append(
                    FactDigest.Entry(
                        origin: try Self.origin(mark.origin), incarnation: try Self.counter(mark.incarnation),
                        mark: try Self.counter(mark.mark)))
            }
            self = .digest(
                FactDigest(entries: entries), asks: digest.asks, words: Self.words(message))
        case .deltas(let message):
            guard message.deltas.count <= FactsBounds.origins else { throw .malformed("number of deltas") }
            var deltas: [FactDelta] = []
            for delta in message.deltas { deltas.append(try Self.delta(delta, batches, &budget)) }
            self = .deltas(deltas, isCut: message.isCut)
        case nil: throw .malformed("facts of no kind")
        }
    }

    /// Nil from a node of the version before.
    private static func words(_ message: Chappe_Cluster_Gossip) -> WordSums? {
        guard message.hasOrders, message.hasAdmissions else { return nil }
        return WordSums(orders: message.orders, admissions: message.admissions)
    }

    private static func delta(
        _ message: Chappe_Cluster_Delta, _ batches: [SignedBatch], _ budget: inout Int
    ) throws(FrameError) -> FactDelta {
        guard message.from <= message.to else { throw .malformed("range") }
        return FactDelta(
            origin: try origin(message.origin), incarnation: try counter(message.incarnation),
            from: try counter(message.from), to: try counter(message.to),
            head: try batch(message.head, of: batches), facts: try facts(message.facts, batches, &budget))
    }

    private static func batch(_ message: Chappe_Cluster_FactBatch) throws(FrameError) -> SignedBatch {
        guard length(of: message.root) == MerkleTree.digestOctets, length(of: message.signature) == 64,
            (1...UInt32(FactSigning.batchCountLongest)).contains(message.count)
        else { throw .malformed("batch") }
        return SignedBatch(
            origin: try origin(message.origin), incarnation: try counter(message.incarnation),
            last: try counter(message.last), count: Int(message.count), root: Array(message.root),
            signature: Array(message.signature))
    }

    private static func facts(
        _ messages: [Chappe_Cluster_Fact], _ batches: [SignedBatch], _ budget: inout Int
    ) throws(FrameError) -> [TravellingFact] {
        budget -= messages.count
        guard budget >= 0 else { throw .malformed("number of facts") }
        var facts: [TravellingFact] = []
        facts.reserveCapacity(messages.count)
        for message in messages { facts.append(try fact(message, batches)) }
        return facts
    }

    private static func fact(
        _ message: Chappe_Cluster_Fact, _ batches: [SignedBatch]
    ) throws(FrameError) -> TravellingFact {
        guard let kind = UInt16(exactly: message.kind),
            length(of: message.subject) <= FactsBounds.subjectOctets,
            length(of: message.value) <= FactsBounds.valueOctets,
            length(of: message.path) <= FactSigning.pathOctetsLongest,
            length(of: message.path) % MerkleTree.digestOctets == 0,
            !message.hasLifetime || message.lifetime <= FactsBounds.lifetimeLongest,
            message.stamp.magnitude <= FactsBounds.counterHighest
        else { throw .malformed("fact") }
        let seal = Seal(batch: try batch(message.batch, of: batches), path: Array(message.path))
        let record = FactRecord(
            key: FactKey(FactKind(rawValue: kind), Array(message.subject)),
            counter: try counter(message.counter), value: message.hasValue ? Array(message.value) : nil,
            lifetime: message.hasLifetime ? Int64(message.lifetime) : nil,
            stamp: Timestamp(milliseconds: message.stamp), seal: seal)
        return TravellingFact(record: record, age: Int64(clamping: message.age))
    }

    private static func batch(_ place: UInt32, of batches: [SignedBatch]) throws(FrameError) -> SignedBatch {
        guard Int(place) < batches.count else { throw .malformed("place of a batch") }
        return batches[Int(place)]
    }

    private static func counter(_ value: UInt64) throws(FrameError) -> UInt64 {
        guard value <= FactsBounds.counterHighest else { throw .malformed("counter") }
        return value
    }

    private static func origin(_ octets: some Collection<UInt8>) throws(FrameError) -> NodeID {
        guard let node = NodeID(octets: octets) else { throw .malformed("origin") }
        return node
    }
}
