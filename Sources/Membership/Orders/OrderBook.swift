package import Convergence
package import MailValues

/// The operator's orders as this node obeys them.
///
/// An order once verified stays until a newer one or its end, although the node that brought it restarts or
/// leaves: it is the operator's word, and no node's. The book is stored, and read again at start.
package struct OrderBook: Sendable {
    package enum Taking: Sendable, Equatable {
        /// Holds from now.
        case taken(Order)
        /// Known, or older than the one that holds.
        case known
        /// Not the operator's, or not of this cluster.
        case refused
    }

    /// Orders kept; one too many is refused, because none may be forgotten.
    package static let countLongest = 16_384

    private let cluster: ClusterID
    private let operatorKey: [UInt8]
    private var orders: [Order.Subject: Order] = [:]
    /// Who says which order now; one that nobody says any more needs a voice.
    private var voices: [Order.Subject: Set<NodeID>] = [:]

    package init(cluster: ClusterID, operatorKey: [UInt8]) {
        self.cluster = cluster
        self.operatorKey = operatorKey
    }

    /// The order that holds about a subject, lifted ones too: that it was lifted is what it says.
    package func order(_ subject: Order.Subject, now: Timestamp) -> Order? {
        orders[subject].flatMap { isOver($0, now) ? nil : $0 }
    }

    /// The order about a subject, also one that is over.
    func held(_ subject: Order.Subject) -> Order? { orders[subject] }

    package func all(now: Timestamp) -> [Order] { orders.values.filter { !isOver($0, now) } }

    /// The highest number of all; 0: there is none.
    package var newest: UInt64 { orders.values.map(\.number).max() ?? 0 }

    /// Takes an order from wherever it comes: a fact, the operator at this node, the store.
    package mutating func take(_ order: Order, now: Timestamp) -> Taking {
        guard order.isWithinBounds else { return .refused }
        if let held = orders[order.subject] {
            guard
                Merge.highest([held, order], number: \.number, octets: { OrderFact($0).octets }) == order,
                held != order
            else { return .known }
        } else if orders.count >= Self.countLongest {
            prune(now: now)
            guard orders.count < Self.countLongest else { return .refused }
        }
        guard order.isSigned(by: operatorKey, in: cluster) else { return .refused }
        orders[order.subject] = order
        return isOver(order, now) ? .known : .taken(order)
    }

    private func isOver(_ order: Order, _ now: Timestamp) -> Bool { order.expires.map { $0 <= now } ?? false }

    private mutating func prune(now: Timestamp) {
        orders = orders.filter { !isOver($0.value, now) }
    }

    /// Takes what changed among the facts: the orders that hold from now, and who brought what is none.
    package mutating func apply(
        _ changes: [FactChange], now: Timestamp
    ) -> (taken: [Order], refused: [NodeID]) {
        var taken: [Order] = []
        var refused: [NodeID] = []
        for change in changes {
            switch change {
            case .said(let origin, let record, _):
                guard record.key.kind == OrderFact.description.kind, let value = record.value else {
                    continue
                }
                guard let fact = OrderFact(octets: value),
                    OrderFact.subject(record.key.subject) == fact.order.subject
                else {
                    refused.append(origin)
                    continue
                }
                switch take(fact.order, now: now) {
                case .taken(let order): taken.append(order)
                case .known: break
                case .refused:
                    refused.append(origin)
                    continue
                }
                hear(fact.order, by: origin)
            case .withdrawn(let origin, let key):
                guard key.kind == OrderFact.description.kind, let subject = OrderFact.subject(key.subject)
                else { continue }
                voices[subject]?.remove(origin)
            case .forgotten(let origin):
                for subject in Array(voices.keys) { voices[subject]?.remove(origin) }
            }
        }
        return (taken, refused)
    }

    private mutating func hear(_ order: Order, by origin: NodeID) {
        if orders[order.subject] == order {
            voices[order.subject, default: []].insert(origin)
        } else {
            voices[order.subject]?.remove(origin)  // says an older one
        }
    }

    /// Orders that no node says any more, so that who joins later would not hear them. The lowest of the living
    /// members says them anew.
    package func unspoken(now: Timestamp) -> [Order] {
        orders.values.filter { !isOver($0, now) && (voices[$0.subject] ?? []).isEmpty }
    }
}
