import SwiftProtobuf

extension WordMessage {
    /// As a part of an envelope.
    var wire: Chappe_Cluster_Words {
        var message = Chappe_Cluster_Words()
        message.ranges = parts.map(Self.wire)
        for word in words {
            switch word {
            case .order: message.orders.append(data(word.octets))
            case .admission: message.admissions.append(data(word.octets))
            }
        }
        return message
    }

    private static func wire(_ part: Part) -> Chappe_Cluster_WordRange {
        var message = Chappe_Cluster_WordRange()
        message.kind = UInt32(part.kind.rawValue)
        message.first = part.range.lowerBound
        message.last = part.range.upperBound
        switch part.held {
        case .sum(let sum): message.sum = sum
        case .ids(let ids, let asks):
            message.ids.ids = ids
            message.ids.asks = asks
        }
        return message
    }

    /// From a part of an envelope. Orders come before admissions, in whatever order they were written.
    init(_ message: Chappe_Cluster_Words) throws(FrameError) {
        guard message.ranges.count <= Self.partsLongest,
            message.orders.count + message.admissions.count <= Self.wordsLongest
        else { throw .malformed("number of words") }
        self.init()
        var ids = 0
        for range in message.ranges {
            ids += range.ids.ids.count
            guard ids <= Self.idsLongest else { throw .malformed("number of ids") }
            if let part = try Self.part(range) { parts.append(part) }
        }
        for octets in message.orders {
            guard let fact = OrderFact(octets: Array(octets)) else { throw .malformed("order") }
            words.append(.order(fact.order))
        }
        for octets in message.admissions {
            guard let admission = Admission(decoding: Array(octets)) else { throw .malformed("admission") }
            words.append(.admission(admission))
        }
    }

    /// Nil for what only a later version knows.
    private static func part(_ range: Chappe_Cluster_WordRange) throws(FrameError) -> Part? {
        guard range.first <= range.last else { throw .malformed("range of words") }
        guard let kind = UInt8(exactly: range.kind).flatMap(Word.Kind.init) else { return nil }
        switch range.held {
        case .sum(let sum): return Part(kind, range.first...range.last, .sum(sum))
        case .ids(let held): return Part(kind, range.first...range.last, .ids(held.ids, asks: held.asks))
        case nil: return nil
        }
    }
}
