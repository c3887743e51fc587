internal import Cryptography
internal import MailValues

/// What proves itself, whoever brings it: an order by the operator's signature, an admission by four.
///
/// Members pass such words on as facts, and a fact can be hidden by who carries it. So members also compare what
/// they hold of these, whoever said it (`WordExchange`).
package enum Word: Hashable, Sendable {
    case order(Order)
    case admission(Admission)

    /// On the wire, and for ever.
    package enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        case order = 0
        case admission = 1
    }

    var kind: Kind {
        switch self {
        case .order: .order
        case .admission: .admission
        }
    }

    /// As it travels: the value of its fact.
    var octets: [UInt8] {
        switch self {
        case .order(let order): OrderFact(order).octets
        case .admission(let admission): admission.octets
        }
    }

    /// By what two members know that they mean the same word: as good as chance, so any part of the range holds about
    /// its share.
    ///
    /// Of an admission it is who came in under which permit: whoever signed it can sign it again in other octets, and
    /// members would compare two forms of one word for ever.
    var id: UInt64 {
        var text: [UInt8] = [kind.rawValue]
        switch self {
        case .order(let order): text += OrderFact(order).octets
        case .admission(let admission):
            text += admission.node.octets
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                text.append(UInt8(truncatingIfNeeded: admission.number >> shift))
            }
        }
        return SHA256.digest(of: text).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// When it says nothing any more.
    var expires: Timestamp? {
        switch self {
        case .order(let order): order.expires
        case .admission: nil
        }
    }
}

/// What members compare first: of each kind the sum of the ids of all words that hold.
package struct WordSums: Hashable, Sendable {
    package var orders: UInt64
    package var admissions: UInt64

    package init(orders: UInt64 = 0, admissions: UInt64 = 0) {
        self.orders = orders
        self.admissions = admissions
    }

    subscript(kind: Word.Kind) -> UInt64 {
        switch kind {
        case .order: orders
        case .admission: admissions
        }
    }
}
