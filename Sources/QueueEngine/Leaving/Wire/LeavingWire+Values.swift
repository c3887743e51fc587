import MailValues
import SwiftProtobuf

extension Array {
    /// Nil if one of them is nothing.
    func all<Value>(_ read: (Element) -> Value?) -> [Value]? {
        var values: [Value] = []
        values.reserveCapacity(count)
        for element in self {
            guard let value = read(element) else { return nil }
            values.append(value)
        }
        return values
    }
}

extension LeavingFrame.Subject {
    init?(_ wire: Chappe_Leaving_Subject) {
        guard let leaver = NodeID(octets: wire.leaver), let heir = NodeID(octets: wire.heir) else {
            return nil
        }
        self.init(leaver: leaver, heir: heir)
    }

    var wire: Chappe_Leaving_Subject {
        .with {
            $0.leaver = data(leaver.octets)
            $0.heir = data(heir.octets)
        }
    }
}

extension LeavingSession {
    init(_ wire: Chappe_Leaving_Session) { self.init(epoch: wire.epoch, round: wire.round) }

    func wire(nonce: UInt64) -> Chappe_Leaving_Session {
        .with {
            $0.epoch = epoch
            $0.round = round
            $0.nonce = nonce
        }
    }
}

extension Receipt {
    init?(_ wire: Chappe_Leaving_Receipt) {
        guard let id = QueueID(octets: wire.id) else { return nil }
        self.init(id, epoch: wire.epoch)
    }

    var wire: Chappe_Leaving_Receipt {
        .with {
            $0.id = data(id.octets)
            $0.epoch = epoch
        }
    }
}

extension IDRange {
    init?(_ wire: Chappe_Leaving_Range) {
        guard let first = QueueID(octets: wire.first), let last = QueueID(octets: wire.last), first <= last
        else { return nil }
        self.init(first, last, RangeSummary(count: wire.count, high: wire.sumHigh, low: wire.sumLow))
    }

    var wire: Chappe_Leaving_Range {
        .with {
            $0.first = data(first.octets)
            $0.last = data(last.octets)
            $0.count = summary.count
            $0.sumHigh = summary.high
            $0.sumLow = summary.low
        }
    }
}

extension RangeAnswer {
    init?(_ wire: Chappe_Leaving_RangeAnswer) {
        switch wire.kind {
        case 0: self = .same
        case 1: self = .differs
        case 2:
            guard let receipts = wire.receipts.all(Receipt.init) else { return nil }
            self = .receipts(receipts)
        default: return nil
        }
    }

    var wire: Chappe_Leaving_RangeAnswer {
        .with {
            switch self {
            case .same: $0.kind = 0
            case .differs: $0.kind = 1
            case .receipts(let receipts):
                $0.kind = 2
                $0.receipts = receipts.map(\.wire)
            }
        }
    }
}

extension OfferAnswer {
    init?(_ wire: Chappe_Leaving_Answer) {
        guard let raw = UInt8(exactly: wire.outcome), let outcome = Outcome(rawValue: raw) else { return nil }
        self.init(wire.count, outcome)
    }

    var wire: Chappe_Leaving_Answer {
        .with {
            $0.count = count
            $0.outcome = UInt32(outcome.rawValue)
        }
    }
}
