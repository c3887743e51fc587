/// Ordered links between processes.
///
/// † A loss delays all that is behind it by 200 ms × 2^k, a cut loses what was queued, and a connection costs a
/// handshake. Links that merely dropped frames now and then would show none of the troubles that real ones have.
struct Network {
    enum LinkState: UInt8 {
        case down
        case up
    }

    let count: Int
    private var states: [LinkState]
    /// Each link's connection so far; what belongs to an older one is lost.
    private var connections: [UInt32]
    private var lastArrivals: [Int64]
    private let delays: [Int32]
    let loss: Double
    /// On which side of a cut each process stands.
    var sides: [Int]

    /// Microseconds.
    static let retransmissionFirst: Int64 = 200_000
    /// Losses in a row of one packet; more than these end the connection in reality.
    static let lossesLongest = 5
    static let heartbeatTimeout: Int64 = 3_000_000
    static let retryInterval: Int64 = 1_000_000
    /// TCP's and CURVE's steps, in one-way delays.
    static let handshakeSteps: Int64 = 6

    init(count: Int, _ settings: Scenario.Network, using chance: inout Chance) {
        self.count = count
        loss = settings.loss ?? 0
        states = Array(repeating: .down, count: count * count)
        connections = Array(repeating: 0, count: count * count)
        lastArrivals = Array(repeating: 0, count: count * count)
        sides = Array(repeating: 0, count: count)
        let shortest = settings.delayShortest ?? 1
        let longest = max(settings.delayLongest ?? shortest, shortest)
        var delays = [Int32](repeating: 0, count: count * count)
        for from in 0..<count {
            for to in 0...from {
                let delay = Int32((shortest + (longest - shortest) * chance.fraction()) * 1_000)
                delays[from * count + to] = delay
                delays[to * count + from] = delay
            }
        }
        self.delays = delays
    }

    private func index(_ from: Int, _ to: Int) -> Int { from * count + to }

    func delay(_ from: Int, _ to: Int) -> Int64 { Int64(delays[index(from, to)]) }
    func isCut(_ from: Int, _ to: Int) -> Bool { sides[from] != sides[to] }
    func isUp(_ from: Int, _ to: Int) -> Bool { states[index(from, to)] == .up }
    func connection(_ from: Int, _ to: Int) -> UInt32 { connections[index(from, to)] }

    /// Ends what the link's connection was; what was under way is lost.
    mutating func breakLink(_ from: Int, _ to: Int, isKnown: Bool) {
        connections[index(from, to)] &+= 1
        lastArrivals[index(from, to)] = 0
        if isKnown { states[index(from, to)] = .down }
    }

    mutating func connect(_ from: Int, _ to: Int) { states[index(from, to)] = .up }

    /// When a frame sent now arrives, behind all that was sent before.
    mutating func arrival(_ from: Int, _ to: Int, at now: Int64, using chance: inout Chance) -> Int64 {
        var time = now + delay(from, to)
        var wait = Self.retransmissionFirst
        for _ in 0..<Self.lossesLongest where chance.happens(loss) {
            time += wait
            wait *= 2
        }
        let link = index(from, to)
        time = max(time, lastArrivals[link] + 1)
        lastArrivals[link] = time
        return time
    }
}
