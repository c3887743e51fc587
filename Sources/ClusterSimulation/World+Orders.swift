import Convergence
import Cryptography
import MailValues
import Membership

extension World {
    /// The operator orders something new, at one node.
    func order(at index: Int) {
        guard processes[index].machine?.gossip != nil else { return }
        let number = UInt64(orders.count) + 1
        let place = [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
        let subject = Order.Subject(.block, [4, 32, 192, 0] + place)
        guard
            let order = Order(
                subject, number: number, by: "ada", reason: "relays for strangers", cluster: cluster,
                key: operatorKey)
        else { preconditionFailure("what the operator of a simulation says is short") }
        orders.append((order, now))
        learn([.order(order)], at: index)
        let clock = processes[index].clock(at: now)
        carryOut(index) { machine, wanted in
            do {
                try machine.say(OrderFact(order), about: subject, now: clock, into: &wanted)
            } catch { preconditionFailure("a simulation orders no more than it may: \(error)") }
        }
    }

    /// What a node does with words that are new to it: it writes orders down, and passes them on.
    func learn(_ words: [Word], at index: Int) {
        let clock = processes[index].clock(at: now)
        for case .order(let order) in words
        where order.number > processes[index].disk.orders[order.subject]?.number ?? 0 {
            processes[index].disk.orders[order.subject] = order
            processes[index].machine?.keep(.order(order), now: clock)
        }
    }

    /// What a node that starts knows from its store.
    func words(of index: Int) -> WordBook {
        let operatorKey = operatorKey.publicKey
        var book = WordBook(
            orders: OrderBook(cluster: cluster, operatorKey: operatorKey),
            admissions: AdmissionBook(cluster: cluster, operatorKey: operatorKey))
        let wall = processes[index].clock(at: now).wall
        for order in processes[index].disk.orders.values { _ = book.take(.order(order), now: wall) }
        return book
    }

    /// What a bearer that hides sends in place of this: all ranges of others are empty, and it holds no words. Nil: nothing.
    func hiding(_ body: Frame.Body, by liar: NodeID) -> Frame.Body? {
        switch body {
        case .facts(.deltas(var deltas, let isCut)):
            for index in deltas.indices where deltas[index].origin != liar { deltas[index].facts = [] }
            return .facts(.deltas(deltas, isCut: isCut))
        case .words: return nil
        case .facts, .probing, .contact, .unknown: return body
        }
    }

    /// An order that was given and that a node has not got; nil if none.
    func missingOrder(at index: Int) -> String? {
        for (order, at) in orders
        where processes[index].disk.orders[order.subject]?.number ?? 0 < order.number {
            return "node \(index) lacks the order of \(Double(at) / 1_000_000) s"
        }
        return nil
    }
}
