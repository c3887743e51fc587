import Convergence
import MailValues

/// A rule of facts that a twin of the machine goes without, to show what it is for.
enum Absence: String, CaseIterable {
    case none
    /// A push moves the mark to its own counter.
    case pushMovesMark = "a push leaves the mark alone"
    /// A delta within its budget holds the newest facts, not the oldest.
    case newestFirst = "a delta is sent oldest first"
    /// A mark passes only counters that it has seen, not the range that a delta states.
    case withoutRanges = "a delta states the range that it covers, what was superseded included"
    /// Nobody hears how far an origin has trimmed.
    case withoutFloors = "who is below the floor drops what lies below it"
}

/// Replicas on links that lose, delay and reorder, on ticks of 50 ms; statements are not signed here.
struct SmallWorld {
    enum Message {
        case push([TravellingFact])
        case digest(FactDigest, answer: Bool)
        case deltas([FactDelta])
    }

    static let stable = FactKind(rawValue: 1)
    static let churning = FactKind(rawValue: 2)
    static let table = FactTable([
        FactDescription(
            kind: stable, name: "stable", isUrgent: true, lifetimeLongest: nil,
            bounds: FactBounds(keys: 1000, octets: 100_000)),
        FactDescription(
            kind: churning, name: "churning", isUrgent: true, lifetimeLongest: .seconds(3600),
            bounds: FactBounds(keys: 24, octets: 100_000)),
    ])!

    private(set) var nodes: [Replica]
    private(set) var now = Uptime.start
    var loss = 0.3
    var deltaOctets = 500
    private var clocks: ClockReading {
        ClockReading(uptime: now, wall: Timestamp(milliseconds: now.milliseconds))
    }
    /// Nodes of different sides do not hear each other.
    var sides: [Int]
    private let absent: Absence
    private var random: SeededRandom
    private var underway: [(at: Int64, from: Int, to: Int, message: Message)] = []
    /// For the twin whose pushes move marks: the highest counter that a node saw of an origin.
    private var seen: [[NodeID: Version]]

    init(nodes count: Int, seed: UInt64, without absent: Absence = .none) {
        let ids = (0..<count).map { NodeID(octets: [UInt8](repeating: UInt8($0 + 1), count: 32))! }
        nodes = ids.map { Replica(node: $0, incarnation: 1, table: Self.table) }
        var ignored: [FactChange] = []
        for index in nodes.indices { nodes[index].setMembers(Set(ids), into: &ignored) }
        sides = Array(repeating: 0, count: count)
        seen = Array(repeating: [:], count: count)
        random = SeededRandom(seed: seed)
        self.absent = absent
    }

    /// A while of writing, gossip, loss, one partition and one restart.
    mutating func live(ticks: Int) {
        let cut = Int.random(in: 0..<ticks / 2, using: &random)
        let healed = cut + ticks / 4
        let restart = Int.random(in: 0..<ticks, using: &random)
        for tick in 0..<ticks {
            if tick == cut { sides = sides.map { _ in Int.random(in: 0...1, using: &random) } }
            if tick == healed { sides = sides.map { _ in 0 } }
            if tick == restart { start(Int.random(in: nodes.indices, using: &random)) }
            for index in nodes.indices where Double.random(in: 0..<1, using: &random) < 0.5 { speak(index) }
            step()
        }
    }

    /// Gossip without loss and new facts until all agree; the rounds it took, or nil if they never do.
    mutating func settle(rounds: Int = 400) -> Int? {
        loss = 0
        for index in nodes.indices { speak(index) }  // who began anew says so
        for round in 0..<rounds {
            if round % 5 == 0, agree { return round }
            step()
        }
        return agree ? rounds : nil
    }

    var agree: Bool {
        nodes.indices.allSatisfy { origin in
            let truth = contents(origin, of: origin)
            return nodes.indices.allSatisfy { $0 == origin || contents($0, of: origin) == truth }
        }
    }

    /// What a node knows of what an origin says. Counters are given once, so they stand for the values too.
    private func contents(_ node: Int, of origin: Int) -> [FactKey: UInt64] {
        let said = nodes[node].statements(by: nodes[origin].node, now: now)
        return Dictionary(uniqueKeysWithValues: said.map { ($0.key, $0.counter) })
    }

    private mutating func start(_ index: Int) {
        var ignored: [FactChange] = []
        let members = Set(nodes.map(\.node))
        nodes[index] = Replica(
            node: nodes[index].node, incarnation: nodes[index].incarnation + 1, table: Self.table)
        nodes[index].setMembers(members, into: &ignored)
        seen[index] = [:]
    }

    private mutating func speak(_ index: Int) {
        var ignored: [FactChange] = []
        let counter = nodes[index].log(of: nodes[index].node)?.mark ?? 0
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let isStable = Bool.random(using: &random)
            let key = FactKey(
                isStable ? Self.stable : Self.churning, [UInt8.random(in: 0..<60, using: &random)])
            if Int.random(in: 0..<4, using: &random) == 0 {
                nodes[index].withdraw(key, now: clocks, into: &ignored)
            } else {
                let value = [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: 8)
                try? nodes[index].say(key, value, lifetime: nil, now: clocks, into: &ignored)
            }
        }
        guard let unsealed = nodes[index].unsealed(countLongest: 64) else { return }
        let batch = SignedBatch(
            origin: nodes[index].node, incarnation: nodes[index].incarnation, last: unsealed.last,
            count: unsealed.count, root: [], signature: [])
        nodes[index].seal(unsealed, in: batch, paths: unsealed.records.map { _ in [] })
        let facts = unsealed.records.compactMap {
            $0.counter > counter ? nodes[index].own($0.counter, key: $0.key, now: now) : nil
        }
        for peer in nodes.indices where peer != index { send(.push(facts), from: index, to: peer) }
    }

    private mutating func step() {
        now = now + .milliseconds(50)
        var ignored: [FactChange] = []
        for index in nodes.indices {
            nodes[index].expire(now: now, into: &ignored)
            var peer = Int.random(in: nodes.indices, using: &random)
            if peer == index { peer = (peer + 1) % nodes.count }
            send(.digest(digest(index), answer: true), from: index, to: peer)
        }
        let due = underway.filter { $0.at <= now.milliseconds }
        underway.removeAll { $0.at <= now.milliseconds }
        for frame in due where sides[frame.from] == sides[frame.to] {
            receive(frame.message, at: frame.to, from: frame.from)
        }
    }

    private mutating func send(_ message: Message, from: Int, to: Int) {
        guard Double.random(in: 0..<1, using: &random) >= loss else { return }
        let delay = Int64.random(in: 1...300, using: &random)
        underway.append((now.milliseconds + delay, from, to, message))
    }

    private mutating func receive(_ message: Message, at index: Int, from: Int) {
        var ignored: [FactChange] = []
        switch message {
        case .push(let facts):
            let facts = facts.filter { !hides($0) }
            for fact in facts {
                guard let batch = fact.record.seal?.batch else { continue }
                let version = Version(incarnation: batch.incarnation, counter: fact.record.counter)
                seen[index][batch.origin] = max(seen[index][batch.origin] ?? version, version)
            }
            _ = nodes[index].apply(pushed: facts, now: clocks, into: &ignored)
        case .digest(let digest, let answer):
            let deltas = deltas(index, for: digest)
            if !deltas.isEmpty { send(.deltas(deltas), from: index, to: from) }
            if answer { send(.digest(self.digest(index), answer: false), from: index, to: from) }
        case .deltas(let deltas):
            for delta in deltas { _ = nodes[index].apply(delta, now: clocks, into: &ignored) }
        }
    }

    // MARK: The twins

    private func hides(_ fact: TravellingFact) -> Bool {
        absent == .withoutFloors && fact.record.key.kind == .floor
    }

    private func digest(_ index: Int) -> FactDigest {
        var digest = nodes[index].digest()
        guard absent == .pushMovesMark else { return digest }
        for place in digest.entries.indices {
            let entry = digest.entries[place]
            if let seen = seen[index][entry.origin], seen.incarnation == entry.incarnation {
                digest.entries[place].mark = max(entry.mark, seen.counter)
            }
        }
        return digest
    }

    private mutating func deltas(_ index: Int, for digest: FactDigest) -> [FactDelta] {
        let turn = Int.random(in: 0..<1000, using: &random)
        switch absent {
        case .none, .pushMovesMark:
            return nodes[index].deltas(for: digest, octets: deltaOctets, turn: turn, now: now).deltas
        case .newestFirst:
            let all = nodes[index].deltas(for: digest, octets: 1 << 24, turn: turn, now: now).deltas
            return all.map {
                var delta = $0
                delta.facts = delta.facts.suffix(4)
                return delta
            }
        case .withoutRanges:
            return nodes[index].deltas(for: digest, octets: deltaOctets, turn: turn, now: now).deltas.map {
                var delta = $0
                delta.to = delta.from
                for fact in delta.facts where fact.record.counter == delta.to + 1 { delta.to += 1 }
                return delta
            }
        case .withoutFloors:
            return nodes[index].deltas(for: digest, octets: deltaOctets, turn: turn, now: now).deltas.map {
                var delta = $0
                delta.facts = delta.facts.filter { !hides($0) }
                return delta
            }
        }
    }
}

/// The same numbers for the same seed, on every machine.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
