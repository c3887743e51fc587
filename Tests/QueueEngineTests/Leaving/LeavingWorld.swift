import MailValues
import QueueEngine

/// Chance that a seed repeats.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    mutating func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &self) < share }
}

/// Several nodes, their disks and the network between them, on a clock of its own.
///
/// Frames are lost, repeated and overtake each other; processes die at any instant; what was on its way to the disk is
/// there afterwards or not. After each step it is looked at who may attempt what.
final class LeavingWorld {
    struct Faults {
        var loss = 0.0
        var repetition = 0.0
        /// A write says that it failed; it was done or not.
        var badWrites = 0.0
        /// The nth write of all says so; 0: none.
        var badWrite = 0
        var isDoneAllTheSame = false
    }

    var random: SeededRandom
    var now = Uptime(milliseconds: 1_000_000)
    var faults = Faults()
    var nodes: [NodeID: SimulatedNode] = [:]
    var delivered: [QueueID: NodeID] = [:]
    var accepted: [QueueID: [[UInt8]]] = [:]
    var writeCount = 0
    private(set) var violation: String?
    private var agenda: [(at: Uptime, order: UInt64, job: () -> Void)] = []
    private var order: UInt64 = 0

    init(seed: UInt64, nodeCount: Int) {
        random = SeededRandom(seed)
        for number in 0..<nodeCount {
            let id = Self.node(number)
            nodes[id] = SimulatedNode(id, in: self)
        }
        for node in nodes.values { node.start() }
    }

    static func node(_ number: Int) -> NodeID {
        NodeID(octets: [UInt8](repeating: UInt8(number + 1), count: 32))!
    }

    subscript(number: Int) -> SimulatedNode { nodes[Self.node(number)]! }

    func fail(_ what: String) { if violation == nil { violation = "\(now.milliseconds) ms: \(what)" } }

    func after(_ milliseconds: Int64, _ job: @escaping () -> Void) {
        order += 1
        // Latest first: the next one is taken from the end.
        let entry = (at: now + .milliseconds(milliseconds), order: order, job: job)
        var low = 0
        var high = agenda.count
        while low < high {
            let middle = (low + high) / 2
            if (agenda[middle].at, agenda[middle].order) > (entry.at, entry.order) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        agenda.insert(entry, at: low)
    }

    /// Until the condition holds; false: it did not in that time, or a promise was broken.
    func run(_ span: Duration, until condition: () -> Bool = { false }) -> Bool {
        let end = now + span
        while violation == nil, !condition(), let next = agenda.last, next.at <= end {
            agenda.removeLast()
            now = max(now, next.at)
            next.job()
        }
        if violation == nil, !condition() { now = end }
        return violation == nil && condition()
    }

    /// A frame on its way; it may come late, twice, or never.
    func carry(_ frame: LeavingFrame, from sender: NodeID, to receiver: NodeID) {
        if random.chance(faults.loss) { return }
        var copies: [Int64] = [Int64.random(in: 1...40, using: &random)]
        if random.chance(faults.repetition) { copies.append(Int64.random(in: 1...30_000, using: &random)) }
        for delay in copies {
            after(delay) { [unowned self] in
                nodes[receiver]?.receive(frame, from: sender)
            }
        }
    }

    /// A write: done after a while, and answered, if the process lives.
    func write(_ node: SimulatedNode, _ change: @escaping () -> Void, _ answer: @escaping (Bool) -> Void) {
        writeCount += 1
        let isBad = writeCount == faults.badWrite || random.chance(faults.badWrites)
        let isDone =
            !isBad || (faults.badWrite > 0 ? faults.isDoneAllTheSame : random.chance(0.5))
        let life = node.life
        var isOver = false
        node.underWay.append { if !isOver { change() } }
        after(Int64.random(in: 1...20, using: &random)) { [unowned self] in
            guard node.life == life, node.isUp else {
                isOver = true
                return
            }
            isOver = true
            if isDone { change() }
            after(0) { if node.life == life, node.isUp { answer(!isBad) } }
        }
    }

    /// Who may attempt a message, at this moment or after its next start.
    func owners(of id: QueueID) -> [NodeID] {
        nodes.values.filter { $0.mayAttempt(id) }.map(\.id).sorted()
    }

    func check(_ id: QueueID) {
        let owners = owners(of: id)
        if owners.count > 1 { fail("\(id) has \(owners.count) owners: \(owners)") }
        if let by = delivered[id], !owners.isEmpty {
            fail("\(id) was delivered by \(by), and \(owners) may again")
        }
        let isKept =
            delivered[id] != nil || nodes.values.contains { $0.disk.messages[id] != nil && !$0.hasLeft }
        if !isKept { fail("\(id) is lost") }
    }

    func checkAll() { for id in accepted.keys { check(id) } }
}
