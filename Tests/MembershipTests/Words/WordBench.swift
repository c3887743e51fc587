import Convergence
import Cryptography
import MailValues

@testable import Membership

/// Members that hold words, and tell each other of them over links that deliver at once.
struct WordBench {
    static let cluster = ClusterID(octets: [UInt8](repeating: 7, count: 16))!
    static let key = Ed25519PrivateKey(seed: [UInt8](repeating: 99, count: 32))!

    var exchanges: [WordExchange]
    var now: Int64 = 0
    /// What each message weighed in its frame.
    var octets: [Int] = []
    /// Members who answer nothing, and what each of them says that it holds.
    var liars: [Int: WordSums] = [:]

    init(_ count: Int, settings: WordSettings = WordSettings()) {
        exchanges = (0..<count).map { _ in WordExchange(Self.book(), settings: settings) }
    }

    static func book() -> WordBook {
        WordBook(
            orders: OrderBook(cluster: cluster, operatorKey: key.publicKey),
            admissions: AdmissionBook(cluster: cluster, operatorKey: key.publicKey))
    }

    static func order(
        _ name: Int, number: UInt64 = 1, isLifted: Bool = false, expires: Int64? = nil,
        key: Ed25519PrivateKey = key, payload: Int = 2
    ) -> Order {
        let subject = Order.Subject(.block, (0..<8).map { UInt8(truncatingIfNeeded: name >> (8 * $0)) })
        return Order(
            subject, number: number, isLifted: isLifted, by: "ada", reason: "relays for strangers",
            payload: [UInt8](repeating: 1, count: payload),
            expires: expires.map { Timestamp(milliseconds: $0) }, cluster: cluster, key: key)!
    }

    var clock: ClockReading {
        ClockReading(uptime: Uptime(milliseconds: now), wall: Timestamp(milliseconds: 1_000_000 + now))
    }

    mutating func keep(_ order: Order, at index: Int) { exchanges[index].keep(.order(order), now: clock) }

    func number(_ name: Int, at index: Int) -> UInt64? {
        exchanges[index].book.orders.held(Self.order(name).subject)?.number
    }

    mutating func sums(_ index: Int) -> WordSums {
        liars[index] ?? exchanges[index].sums(now: clock)
    }

    /// Lets time pass: each second everybody hears what everybody holds.
    mutating func run(seconds: Int) {
        for _ in 0..<seconds {
            now += 1_000
            for index in exchanges.indices {
                for peer in exchanges.indices where peer != index {
                    let sums = sums(index)
                    exchanges[peer].hear(sums, from: node(index), now: clock)
                }
            }
            for index in exchanges.indices where liars[index] == nil {
                for (peer, message) in exchanges[index].openings(now: clock) {
                    deliver(message, to: Int(peer.octets[0]), from: index)
                }
            }
        }
    }

    @discardableResult
    mutating func deliver(_ message: WordMessage, to index: Int, from sender: Int) -> WordExchange.Outcome? {
        octets.append(
            Frame(cluster: Self.cluster, sender: FrameTests.sender, body: .words(message)).octets.count)
        guard liars[index] == nil else { return nil }
        let outcome = exchanges[index].receive(message, from: node(sender), now: clock)
        if let reply = outcome.reply { deliver(reply, to: sender, from: index) }
        return outcome
    }

    mutating func agree() -> Bool {
        let sums = exchanges.indices.filter { liars[$0] == nil }.map { exchanges[$0].sums(now: clock) }
        return Set(sums).count == 1
    }
}
