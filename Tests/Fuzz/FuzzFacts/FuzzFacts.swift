import Convergence
import Cryptography
import MailValues

@testable import Membership

private let keys = (1...3).map { Ed25519PrivateKey(seed: [UInt8](repeating: UInt8($0), count: 32))! }
private let cluster = ClusterID(octets: [UInt8](repeating: 7, count: 16))!
private let now = ClockReading(uptime: Uptime(milliseconds: 1_000), wall: Timestamp(milliseconds: 1_000))

/// A node that two others are members with, and that has said something itself.
private let fresh: Gossip = {
    guard let table = FactTable([OrderFact.description, MemberLoad.description]) else {
        fatalError("one table")
    }
    var gossip = Gossip(cluster: cluster, key: keys[0], incarnation: 1, table: table, now: .start)
    var actions: [Gossip.Action] = []
    gossip.setMembers(Set(keys.map(\.node)), into: &actions)
    gossip.setPeers(Set(keys.map(\.node)), now: .start)
    try? gossip.say(MemberLoad(), about: MemberLoad.Myself(), now: now, into: &actions)
    var random = SystemRandomNumberGenerator()
    gossip.tick(now: now, using: &random, into: &actions)
    return gossip
}()

/// All that node 2 ever signed: it is in the corpus, by subject.
private let signed: [[UInt8]: [UInt8]] = [
    []: [], [5] + Array("ada".utf8): [0x0A, 2, 0x65, 0x31, 0x10, 5],
    [5] + Array("bob".utf8): [0x0A, 2, 0x65, 0x32, 0x10, 5],
]

/// What holds before any frame: two orders of the operator, whose key signed a third one. That is in the corpus.
private let words: WordExchange = {
    let key = Ed25519PrivateKey(seed: [UInt8](repeating: 9, count: 32))!
    var exchange = WordExchange(
        WordBook(
            orders: OrderBook(cluster: cluster, operatorKey: key.publicKey),
            admissions: AdmissionBook(cluster: cluster, operatorKey: key.publicKey)))
    for name: UInt8 in 1...2 {
        if let order = Order(
            Order.Subject(.block, [4, 32, 192, 0, 2, name]), number: 1, by: "ada", reason: "relays",
            cluster: cluster,
            key: key)
        {
            exchange.keep(.order(order), now: now)
        }
    }
    return exchange
}()

/// Nothing is held that the operator did not sign, and an answer is never larger than a frame may be.
private func hear(_ message: WordMessage) {
    var exchange = words
    let outcome = exchange.receive(message, from: keys[1].node, now: now)
    for order in exchange.book.orders.all(now: now.wall) {
        precondition(order.number == 1 && order.subject.octets.count == 6, "nobody signs by chance")
    }
    precondition(exchange.book.admissions.members.isEmpty, "nobody was let in")
    guard let reply = outcome.reply else { return }
    let sender = Sender(node: keys[0].node, incarnation: 1, nonce: 1)
    let octets = Frame(cluster: cluster, sender: sender, body: .words(reply)).octets
    precondition((try? Frame(decoding: octets)) != nil, "what is written is read again")
}

/// Any octets as a frame from a member, and as values of facts: nothing that no origin signed is ever learnt.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: data, count: count))
    if let load = MemberLoad(octets: octets) {
        precondition(MemberLoad(octets: load.octets) == load, "what is written is read again")
    }
    if let order = OrderFact(octets: octets) {
        precondition(OrderFact(octets: order.octets) == order, "what is written is read again")
        precondition(!order.order.isSigned(by: keys[0].publicKey, in: cluster), "nobody signs by chance")
    }
    guard let frame = try? Frame(decoding: octets) else { return 0 }
    if case .words(let message) = frame.body { hear(message) }
    guard case .facts(let message) = frame.body else { return 0 }
    var gossip = fresh
    var actions: [Gossip.Action] = []
    gossip.receive(message, from: keys[1].node, age: frame.age, now: now, into: &actions)
    precondition(gossip.replica.statements(by: keys[2].node, now: now.uptime).isEmpty, "it never spoke")
    for record in gossip.replica.statements(by: keys[1].node, now: now.uptime) {
        precondition(signed[record.key.subject] == record.value, "nothing is learnt that was not signed")
    }
    return 0
}
