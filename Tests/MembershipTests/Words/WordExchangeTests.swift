import Convergence
import Cryptography
import MailValues
import Testing

@testable import Membership

@Suite("Words that prove themselves")
struct WordExchangeTests {
    struct Case: CustomTestStringConvertible {
        var common: Int
        var first: Int
        var second: Int
        /// Seconds until both hold the same, and octets that it may cost besides the words themselves.
        var seconds: Int
        var octets: Int
        var testDescription: String { "\(common) common, \(first) and \(second) of one alone" }
    }

    static let cases = [
        Case(common: 0, first: 1, second: 0, seconds: 3, octets: 800),
        Case(common: 10, first: 1, second: 1, seconds: 3, octets: 1_500),
        Case(common: 64, first: 0, second: 1, seconds: 3, octets: 4_000),
        Case(common: 2_000, first: 1, second: 0, seconds: 3, octets: 6_000),
        Case(common: 2_000, first: 3, second: 2, seconds: 3, octets: 16_000),
        Case(common: 0, first: 1_500, second: 0, seconds: 10, octets: 60_000),
        Case(common: 100, first: 700, second: 900, seconds: 20, octets: 200_000),
    ]

    @Test("two members end with the same words, in few octets where little differs", arguments: cases)
    func evens(row: Case) {
        var bench = WordBench(2)
        for name in 0..<row.common + row.first { bench.keep(WordBench.order(name), at: 0) }
        for name in 0..<row.common { bench.keep(WordBench.order(name), at: 1) }
        for name in 0..<row.second { bench.keep(WordBench.order(100_000 + name), at: 1) }
        bench.run(seconds: row.seconds)
        let agree = bench.agree()
        #expect(agree)
        #expect(
            bench.exchanges[0].book.orders.all(now: bench.clock.wall).count == row.common + row.first
                + row.second)
        let words = (row.first + row.second) * (Word.order(WordBench.order(1)).octets.count + 3)
        #expect(bench.octets.reduce(0, +) <= words + row.octets)
        let sent = bench.octets.count
        bench.run(seconds: 60)
        #expect(bench.octets.count == sent, "who holds the same has nothing to say")
    }

    @Test("what one of three hides, and says that it does not exist, the other brings")
    func hidden() {
        var bench = WordBench(3)
        bench.keep(WordBench.order(1), at: 2)
        // The liar says of itself whatever the one that lacks it says.
        bench.liars[0] = bench.sums(1)
        bench.run(seconds: 3)
        #expect(bench.number(1, at: 1) == 1)
    }

    @Test("who claims other words for ever costs a message now and then, at longer and longer intervals")
    func claims() {
        var bench = WordBench(2)
        for name in 0..<5_000 { bench.keep(WordBench.order(name), at: 1) }
        bench.liars[0] = WordSums(orders: 1, admissions: 2)
        bench.run(seconds: 3_600)
        #expect(bench.octets.count <= 3_600 / 30 + 6)
        #expect(bench.octets.allSatisfy { $0 < 1_000 })
    }

    @Test("who asks for everything again and again gets no more than its share")
    func greedy() throws {
        var bench = WordBench(2)
        for name in 0..<400 { bench.keep(WordBench.order(name, payload: 10_000), at: 1) }
        let all = WordMessage(
            parts: (0..<200).map { _ in .init(.order, 0 ... .max, .ids([], asks: true)) })
        var sent = 0
        for second in 0..<100 {
            bench.now = Int64(second) * 1_000
            for _ in 0..<20 {
                let reply = bench.exchanges[1].receive(all, from: node(0), now: bench.clock).reply
                guard let reply else { continue }
                let octets = Frame(
                    cluster: WordBench.cluster, sender: FrameTests.sender, body: .words(reply)
                ).octets.count
                #expect(octets < 300_000)
                sent += octets
            }
        }
        #expect(sent > 1 << 20, "an honest one that lacks much is served")
        let settings = WordSettings()
        #expect(sent < settings.allowanceOctets + 100 * settings.allowanceOctetsPerSecond + (1 << 20))
    }

    @Test("an order that was superseded or is over rises no more, whoever still has it")
    func old() {
        var bench = WordBench(2)
        bench.keep(WordBench.order(1, number: 5, isLifted: true), at: 0)
        bench.keep(WordBench.order(1, number: 4), at: 1)
        bench.keep(WordBench.order(2, expires: 1_001_500), at: 1)
        let stale = WordMessage(words: [.order(WordBench.order(1, number: 4))])
        let outcome = bench.exchanges[0].receive(stale, from: node(1), now: bench.clock)
        #expect(outcome.news.isEmpty && outcome.refused == 0 && bench.number(1, at: 0) == 5)
        bench.run(seconds: 10)
        #expect(bench.number(1, at: 0) == 5 && bench.number(1, at: 1) == 5)
        #expect(bench.number(2, at: 0) == nil, "over before it was compared")
        let agree = bench.agree()
        #expect(agree)
        let late = WordMessage(words: [.order(WordBench.order(2, expires: 1_001_500))])
        #expect(bench.exchanges[0].receive(late, from: node(1), now: bench.clock).news.isEmpty)
    }

    @Test(
        "a word that is not the operator's is counted and not held, and after a few of them no more is read")
    func forged() {
        var bench = WordBench(2)
        let other = Ed25519PrivateKey(seed: [UInt8](repeating: 98, count: 32))!
        let forged = (0..<100).map { Word.order(WordBench.order($0, key: other)) }
        let good = Word.order(WordBench.order(1_000))
        let before = bench.sums(0)
        let outcome = bench.exchanges[0].receive(
            WordMessage(words: forged + [good]), from: node(1), now: bench.clock)
        #expect(outcome.news.isEmpty && outcome.refused == WordSettings().refusalsMost)
        #expect(bench.sums(0) == before)
        let few = bench.exchanges[0].receive(
            WordMessage(words: forged.prefix(2) + [good]), from: node(1), now: bench.clock)
        #expect(few.news == [good] && few.refused == 2)
    }

    @Test("two of which one has no room for what it lacks do not go on for ever")
    func full() {
        var settings = WordSettings()
        settings.refusalsMost = 1_000
        var bench = WordBench(2, settings: settings)
        // Nothing of the first is ever believed by the second: as if its book were full.
        let other = Ed25519PrivateKey(seed: [UInt8](repeating: 98, count: 32))!
        let alien = WordBook(
            orders: OrderBook(cluster: WordBench.cluster, operatorKey: other.publicKey),
            admissions: AdmissionBook(cluster: WordBench.cluster, operatorKey: other.publicKey))
        bench.exchanges[1] = WordExchange(alien, settings: settings)
        for name in 0..<100 {
            bench.keep(WordBench.order(name), at: 0)
            bench.keep(WordBench.order(name, key: other), at: 1)
        }
        bench.run(seconds: 600)
        #expect(bench.octets.count < 2 * 600 / 30 * 80)
    }

    @Test("an eviction reaches who holds the evicted member's admission, and not the other way round")
    func evictions() throws {
        var town = Town()
        let attempt = town.attempt(town.token(number: 2))
        _ = town.knock(attempt)
        let evicted = attempt.admission.node
        let admission = try #require(town.book.admission(of: evicted))
        let orders = OrderBook(cluster: town.cluster, operatorKey: town.operatorKey.publicKey)
        var bench = WordBench(2)
        for index in 0..<2 {
            bench.exchanges[index] = WordExchange(WordBook(orders: orders, admissions: town.book))
        }
        let eviction = try #require(
            Order(
                Order.Subject(.eviction, evicted.octets), number: 3, by: "ada", reason: "gone",
                cluster: town.cluster, key: town.operatorKey))
        bench.keep(eviction, at: 0)
        bench.run(seconds: 3)
        for index in 0..<2 {
            let book = bench.exchanges[index].book.admissions
            #expect(book.isEvicted(evicted) && book.members == [town.founder.node])
            let again = bench.exchanges[index].receive(
                WordMessage(words: [.admission(admission)]), from: node(1), now: bench.clock)
            #expect(again.news.isEmpty && again.refused == 0)
        }
    }

    @Test("an admission that was hidden is brought by another")
    func admissions() throws {
        var town = Town()
        let attempt = town.attempt(town.token(number: 2))
        let before = town.book
        _ = town.knock(attempt)
        let orders = OrderBook(cluster: town.cluster, operatorKey: town.operatorKey.publicKey)
        var bench = WordBench(2)
        bench.exchanges[0] = WordExchange(WordBook(orders: orders, admissions: before))
        bench.exchanges[1] = WordExchange(WordBook(orders: orders, admissions: town.book))
        bench.run(seconds: 3)
        #expect(bench.exchanges[0].book.admissions.isMember(attempt.admission.node))
    }
}

@Suite("Words on the wire")
struct WordWireTests {
    private static let messages = [
        WordMessage(),
        WordMessage(parts: [
            .init(.order, 0 ... .max, .sum(7)), .init(.admission, 5...9, .ids([5, 9, .max], asks: true)),
            .init(.order, 3...3, .ids([], asks: false)),
        ]),
        WordMessage(words: [.order(WordBench.order(1)), .order(WordBench.order(2, isLifted: true))]),
    ]

    private func frame(_ message: WordMessage) -> Frame {
        Frame(cluster: FrameTests.cluster, sender: FrameTests.sender, body: .words(message))
    }

    @Test(
        "what is written is read again; cut or bent anywhere it is refused or read, and nothing breaks",
        arguments: messages)
    func coding(message: WordMessage) throws {
        let octets = frame(message).octets
        #expect(try Frame(decoding: octets) == frame(message))
        for cut in octets.indices { _ = try? Frame(decoding: Array(octets[..<cut])) }
        for index in octets.indices {
            var bent = octets
            bent[index] ^= 0x55
            _ = try? Frame(decoding: bent)
        }
    }

    @Test("more than anybody means is refused before it is built, and kinds of a later version are skipped")
    func bounds() throws {
        let part = WordMessage.Part(.order, 0...9, .sum(1))
        let many = WordMessage(parts: Array(repeating: part, count: WordMessage.partsLongest + 1))
        #expect(throws: FrameError.malformed("number of parts")) { try Frame(decoding: frame(many).octets) }
        let ids = [UInt64](repeating: 1, count: WordMessage.idsLongest + 1)
        let long = WordMessage(parts: [.init(.order, 0...9, .ids(ids, asks: false))])
        #expect(throws: FrameError.malformed("number of ids")) { try Frame(decoding: frame(long).octets) }
        var wire = WordMessage(parts: [part]).wire
        wire.ranges[0].kind = 9
        #expect(try WordMessage(wire) == WordMessage())
        wire.ranges[0].kind = 0
        wire.ranges[0].first = 10
        #expect(throws: FrameError.malformed("range of words")) { try WordMessage(wire) }
        wire = WordMessage().wire
        wire.orders = [data([1, 2, 3])]
        #expect(throws: FrameError.malformed("order")) { try WordMessage(wire) }
    }

    @Test("sums ride along with the rounds, and a member of the version before has none")
    func sums() throws {
        let sums = WordSums(orders: 0, admissions: 7)
        for message in [
            GossipMessage.summary(3, words: sums), .digest(FactDigest(entries: []), asks: true, words: sums),
        ] {
            let read = try GossipMessage(message.wire)
            #expect(read == message && read.words == sums)
            var before = message.wire
            before.clearOrders()
            before.clearAdmissions()
            #expect(try GossipMessage(before).words == nil)
        }
    }
}
