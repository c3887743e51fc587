import Convergence
import MailValues
import SwiftProtobuf

extension GossipMessage {
    /// As a part of an envelope. Batches are named once, however many facts lean on them.
    var wire: Chappe_Cluster_Gossip {
        var message = Chappe_Cluster_Gossip()
        var batches = BatchList()
        switch self {
        case .push(let facts): message.push.facts = facts.map { Self.fact($0, &batches) }
        case .summary(let sum, _): message.summary = sum
        case .digest(let digest, let asks, _):
            message.digest.asks = asks
            message.digest.marks = digest.entries.map(Self.mark)
        case .deltas(let deltas, let isCut):
            message.deltas.isCut = isCut
            message.deltas.deltas = deltas.map { Self.delta($0, &batches) }
        }
        message.batches = batches.list
        if let words {
            message.orders = words.orders
            message.admissions = words.admissions
        }
        return message
    }

    /// The batches of one message, each at its place.
    private struct BatchList {
        var list: [Chappe_Cluster_FactBatch] = []
        private var places: [ObjectIdentifier: UInt32] = [:]

        mutating func place(of batch: SignedBatch) -> UInt32 {
            if let place = places[ObjectIdentifier(batch)] { return place }
            var message = Chappe_Cluster_FactBatch()
            message.origin = data(batch.origin.octets)
            message.incarnation = batch.incarnation
            message.last = batch.last
            message.count = UInt32(batch.count)
            message.root = data(batch.root)
            message.signature = data(batch.signature)
            list.append(message)
            places[ObjectIdentifier(batch)] = UInt32(list.count - 1)
            return UInt32(list.count - 1)
        }
    }

    private static func mark(_ entry: FactDigest.Entry) -> Chappe_Cluster_Mark {
        var message = Chappe_Cluster_Mark()
        message.origin = data(entry.origin.octets)
        message.incarnation = entry.incarnation
        message.mark = entry.mark
        return message
    }

    private static func delta(_ delta: FactDelta, _ batches: inout BatchList) -> Chappe_Cluster_Delta {
        var message = Chappe_Cluster_Delta()
        message.origin = data(delta.origin.octets)
        message.incarnation = delta.incarnation
        message.from = delta.from
        message.to = delta.to
        message.head = batches.place(of: delta.head)
        message.facts = delta.facts.map { fact($0, &batches) }
        return message
    }

    private static func fact(_ fact: TravellingFact, _ batches: inout BatchList) -> Chappe_Cluster_Fact {
        guard let seal = fact.record.seal else { preconditionFailure("only sealed statements travel") }
        var message = Chappe_Cluster_Fact()
        message.kind = UInt32(fact.record.key.kind.rawValue)
        message.subject = data(fact.record.key.subject)
        if let value = fact.record.value { message.value = data(value) }
        message.counter = fact.record.counter
        if let lifetime = fact.record.lifetime { message.lifetime = UInt64(lifetime) }
        message.stamp = fact.record.stamp.milliseconds
        message.batch = batches.place(of: seal.batch)
        message.path = data(seal.path)
        message.age = UInt64(max(0, fact.age))
        return message
    }
}
