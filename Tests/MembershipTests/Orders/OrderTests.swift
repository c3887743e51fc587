import Convergence
import Cryptography
import MailValues
import Testing

@testable import Membership

@Suite("Orders")
struct OrderTests {
    private static let cluster = GossipBench.cluster
    private static let key = Ed25519PrivateKey(seed: [UInt8](repeating: 99, count: 32))!
    private static let subject = Order.Subject(.block, [4, 32, 192, 0, 2, 1])
    private let now = Timestamp(milliseconds: 1_000)

    private func order(
        _ number: UInt64, isLifted: Bool = false, expires: Int64? = nil, key: Ed25519PrivateKey = Self.key,
        cluster: ClusterID = Self.cluster
    ) throws -> Order {
        try #require(
            Order(
                Self.subject, number: number, isLifted: isLifted, by: "ada", reason: "relays for strangers",
                payload: [1, 2], expires: expires.map { Timestamp(milliseconds: $0) }, cluster: cluster,
                key: key))
    }

    private func book() -> OrderBook { OrderBook(cluster: Self.cluster, operatorKey: Self.key.publicKey) }

    @Test("the highest number holds, in whatever order orders come; lifting is a newer order")
    func highest() throws {
        let orders = [try order(1), try order(3, isLifted: true), try order(2)]
        for turn in 0..<3 {
            var book = book()
            for index in 0..<3 { _ = book.take(orders[(turn + index) % 3], now: now) }
            #expect(book.order(Self.subject, now: now)?.number == 3)
            #expect(book.take(orders[0], now: now) == .known)
            #expect(book.order(Self.subject, now: now)?.isLifted == true)
        }
    }

    @Test("an order without the operator's signature is none, and hides none")
    func forged() throws {
        var book = book()
        #expect(book.take(try order(1), now: now) == .taken(try order(1)))
        let other = Ed25519PrivateKey(seed: [UInt8](repeating: 98, count: 32))!
        #expect(book.take(try order(9, key: other), now: now) == .refused)
        let elsewhere = ClusterID(octets: [UInt8](repeating: 8, count: 16))!
        #expect(book.take(try order(9, cluster: elsewhere), now: now) == .refused)
        var bent = try order(9)
        bent.reason = "because"
        #expect(book.take(bent, now: now) == .refused)
        bent = try order(9)
        bent.subject.octets[5] = 2
        #expect(book.take(bent, now: now) == .refused)
        bent = try order(9)
        bent.isLifted = true
        #expect(book.take(bent, now: now) == .refused)
        #expect(book.order(Self.subject, now: now)?.number == 1)
    }

    @Test("an order ends when it says so")
    func expires() throws {
        var book = book()
        _ = book.take(try order(1, expires: 2_000), now: now)
        #expect(book.order(Self.subject, now: Timestamp(milliseconds: 1_999)) != nil)
        #expect(book.order(Self.subject, now: Timestamp(milliseconds: 2_000)) == nil)
    }

    @Test("its octets lead back to it; cut anywhere they are no order, or not the operator's")
    func coding() throws {
        let order = try order(1 << 40, isLifted: true, expires: 5)
        let octets = OrderFact(order).octets
        #expect(OrderFact(octets: octets)?.order == order)
        for cut in octets.indices {
            guard let less = OrderFact(octets: Array(octets[..<cut])) else { continue }
            #expect(!less.order.isSigned(by: Self.key.publicKey, in: Self.cluster))
        }
        #expect(OrderFact.subject(OrderFact.octets(of: Self.subject)) == Self.subject)
    }

    @Test("an order stays when the node that brought it goes, and is then said by others")
    func voices() throws {
        var book = book()
        let order = try order(1)
        let record = FactRecord(
            key: OrderFact.key(Self.subject), counter: 1, value: OrderFact(order).octets, lifetime: nil,
            stamp: now)
        #expect(book.apply([.said(node(1), record, age: 0)], now: now).taken == [order])
        #expect(book.unspoken(now: now).isEmpty)
        #expect(book.apply([.forgotten(node(1))], now: now).taken.isEmpty)
        #expect(book.order(Self.subject, now: now) == order && book.unspoken(now: now) == [order])
        #expect(book.apply([.said(node(2), record, age: 0)], now: now).taken.isEmpty)
        #expect(book.unspoken(now: now).isEmpty)
        var forged = record
        forged.key.subject[7] = 9
        #expect(book.apply([.said(node(3), forged, age: 0)], now: now).refused == [node(3)])
    }

    @Test("the law of its merge: any order of words gives the same one")
    func law() throws {
        let said = try (1...4).map { number in
            Said(
                origin: node(number), version: Version(incarnation: 1, counter: 1),
                value: OrderFact(try order(UInt64(number % 3))), stamp: now)
        }
        var dice = Dice(state: 1)
        let truth = OrderFact.merge(said)
        #expect(truth?.number == 2)
        for _ in 0..<20 { #expect(OrderFact.merge((said + said).shuffled(using: &dice)) == truth) }
    }
}

@Suite("Load of members")
struct MemberLoadTests {
    @Test("others are told again of what they decide by, and of what has changed by more than an eighth")
    func news() {
        var said = MemberLoad()
        (said.queuedMessages, said.freeOctets, said.admittedSet, said.isReady) = (800, 1 << 40, 3, true)
        #expect(!said.isNews(after: said))
        let changes: [(change: (inout MemberLoad) -> Void, isNews: Bool)] = [
            ({ $0.queuedMessages = 900 }, false), ({ $0.queuedMessages = 920 }, true),
            ({ $0.queuedMessages = 701 }, false), ({ $0.queuedMessages = 0 }, true),
            ({ $0.queuedOctets = 1 }, true), ({ $0.copies = 1 }, true), ({ $0.acceptedPerMinute = 1 }, true),
            ({ $0.freeOctets -= 1 << 36 }, false), ({ $0.freeOctets /= 2 }, true),
            ({ $0.admittedSet = 4 }, true), ({ $0.configuration = 1 }, true), ({ $0.release = "2" }, true),
            ({ $0.isReady = false }, true), ({ $0.isLeaving = true }, true), ({ $0.isSick = true }, true),
            ({ $0.isQuarantined = true }, true),
            ({ $0.wireVersion = 9 }, true), ({ $0.storeVersion = 9 }, true),
        ]
        for (number, (change, isNews)) in changes.enumerated() {
            var load = said
            change(&load)
            #expect(load.isNews(after: said) == isNews, "change \(number)")
        }
    }

    @Test("its octets lead back to it, and a newer version's fields are skipped")
    func coding() {
        var load = MemberLoad()
        load.queuedMessages = 100_000
        load.freeOctets = .max
        load.configuration = 0xDEAD_BEEF
        load.admittedSet = 3
        load.isReady = true
        load.isQuarantined = true
        load.release = "1.2.0"
        #expect(MemberLoad(octets: load.octets) == load)
        #expect(MemberLoad(octets: load.octets + [0x78, 1]) == load)
        #expect(MemberLoad(octets: [0x08]) == nil)
        // A liar's number must not break the sum over all.
        load.queuedMessages = .max
        load.acceptedPerMinute = .max
        let read = MemberLoad(octets: load.octets)
        #expect(read?.queuedMessages == 1 << 50 && read?.acceptedPerMinute == 1 << 50)
        #expect(load.octets.count <= MemberLoad.description.bounds.valueOctets)
    }
}
