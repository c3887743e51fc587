package import MailValues

/// All words that this node believes, each seen to prove itself, and found by their ids.
///
/// It judges as the books do that the node obeys, so that both come to the same from the same words.
package struct WordBook: Sendable {
    package private(set) var orders: OrderBook
    package private(set) var admissions: AdmissionBook

    /// Of each order that was asked for its id; to compute it takes a digest.
    private var orderIDs: [Order.Subject: UInt64] = [:]
    private var shelves: [Word.Kind: WordShelf] = [:]
    private var stale: Set<Word.Kind> = Set(Word.Kind.allCases)
    /// The shelf of orders is as of then, and good until the next one is over.
    private var shelvedAt = Timestamp(milliseconds: .min)
    private var overNext = Timestamp(milliseconds: .max)

    package init(orders: OrderBook, admissions: AdmissionBook) {
        self.orders = orders
        self.admissions = admissions
    }

    package enum Taking: Sendable {
        /// It was not known, and holds.
        case taken
        case known
        /// It does not prove itself, or there is no room.
        case refused
    }

    package mutating func take(_ word: Word, now: Timestamp) -> Taking {
        switch word {
        case .order(let order): take(order, now)
        case .admission(let admission): take(admission)
        }
    }

    private mutating func take(_ order: Order, _ now: Timestamp) -> Taking {
        let taking = orders.take(order, now: now)
        if taking == .refused { return .refused }
        if orders.held(order.subject) == order {
            orderIDs[order.subject] = nil
            stale.insert(.order)
        }
        guard case .taken = taking else { return .known }
        if order.subject.kind == .eviction, let node = NodeID(octets: order.subject.octets),
            admissions.evict(node, number: order.number)
        {
            stale.insert(.admission)
        }
        return .taken
    }

    private mutating func take(_ admission: Admission) -> Taking {
        switch admissions.take(admission) {
        case .taken:
            stale.insert(.admission)
            return .taken
        case .known: return .known
        case .refused: return .refused
        }
    }

    // MARK: Finding

    package mutating func sums(now: Timestamp) -> WordSums {
        WordSums(orders: shelf(.order, now: now).sum, admissions: shelf(.admission, now: now).sum)
    }

    mutating func shelf(_ kind: Word.Kind, now: Timestamp) -> WordShelf {
        // A clock that was set back makes what was over hold again.
        if kind == .order, now >= overNext || now < shelvedAt { stale.insert(.order) }
        if let shelf = shelves[kind], !stale.contains(kind) { return shelf }
        let shelf =
            kind == .order ? shelvedOrders(now) : WordShelf(admissions.all.map { Self.held(.admission($0)) })
        shelves[kind] = shelf
        stale.remove(kind)
        return shelf
    }

    private static func held(_ word: Word) -> (id: UInt64, word: Word) { (word.id, word) }

    private mutating func shelvedOrders(_ now: Timestamp) -> WordShelf {
        var held: [(id: UInt64, word: Word)] = []
        var ids: [Order.Subject: UInt64] = [:]
        (shelvedAt, overNext) = (now, Timestamp(milliseconds: .max))
        for order in orders.all(now: now) {
            if let expires = order.expires { overNext = min(overNext, expires) }
            let word = Word.order(order)
            let id = orderIDs[order.subject] ?? word.id
            ids[order.subject] = id
            held.append((id, word))
        }
        orderIDs = ids
        return WordShelf(held)
    }
}
