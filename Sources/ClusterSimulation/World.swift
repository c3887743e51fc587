import Convergence
import Cryptography
import MailValues
package import Membership

/// A cluster on virtual time: the machines of `chapped`, links, clocks and disks that fail, and promises that
/// are watched all the time.
package final class World {
    package let scenario: Scenario
    package let nodeCount: Int
    package let seed: UInt64
    let settings: DetectorSettings
    let cluster: ClusterID
    let keys: [Ed25519PrivateKey]
    let nodes: [NodeID]
    /// Nil where no facts are said: detection alone is much cheaper.
    let table: FactTable?
    let operatorKey: Ed25519PrivateKey
    let wordSettings: WordSettings
    /// What the operator ordered, and when.
    var orders: [(order: Order, at: Int64)] = []
    /// What was said, in order.
    var news: [News] = []
    /// The first fact that was heard again although it was gone.
    var risen: String?
    let places: [NodeID: Int]

    var timeline = Timeline()
    /// Microseconds since the beginning.
    var now: Int64 = 0
    var chance: Chance
    var network: Network
    var processes: [Process]
    var inFlight = FrameTable()
    var admitted: Set<Int>
    /// Until when each node may be thought dead without a lie, for what was done to it.
    var troubleUntil: [Int64]
    /// Which process answers to a node, as seen by another process: an address is where it was heard from.
    var routes: [Int: Int] = [:]
    var steps: [Scenario.Step] = []
    var lastDeed: Int64 = 0
    var lookAt = Int64.max
    package internal(set) var figures = Figures()
    package internal(set) var broken: BrokenPromise?
    private var promises: [any Promise]
    private var actions: [ClusterMachine.Action] = []
    private var sampled = 0
    let end: Int64

    /// Processes beyond one for each node, for clones.
    static let spareCount = 2
    /// What was under way for longer is dropped by who hears it, as the transport does.
    static let frameAgeLongest: Duration = .seconds(3)
    /// One frame in so many is encoded to count octets.
    private static let sampleEach = 32

    package init(
        _ scenario: Scenario, nodes count: Int, seed: UInt64, settings: DetectorSettings = DetectorSettings(),
        wordSettings: WordSettings = WordSettings(), promises: [any Promise]? = nil
    ) {
        precondition(count >= 1 && count <= 4_096, "a cluster has at least one node, and no more than these")
        self.scenario = scenario
        self.seed = seed
        self.settings = settings
        self.wordSettings = wordSettings
        operatorKey = World.key(1 << 20)
        nodeCount = count
        chance = Chance(seed: seed)
        cluster = ClusterID(using: &chance)
        keys = (0..<count).map { World.key($0) }
        nodes = keys.map(\.node)
        let isOrdered = scenario.steps?.contains { $0.do == .order } ?? false
        table =
            scenario.factsPerSecond == nil && !isOrdered
            ? nil : FactTable([Rumour.description, OrderFact.description])
        places = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1, $0) })
        network = Network(count: count + Self.spareCount, scenario.network ?? .init(), using: &chance)
        processes = (0..<count + Self.spareCount).map { Process(place: min($0, count - 1)) }
        admitted = Set(0..<count)
        troubleUntil = Array(repeating: 30_000_000, count: count)
        end = Int64(scenario.seconds * 1_000_000)
        self.promises = promises ?? PromiseCatalog.all()
        steps = scenario.steps ?? []
    }

    /// The same in each run, as names in a scenario are.
    private static func key(_ place: Int) -> Ed25519PrivateKey {
        var chance = Chance(seed: UInt64(place) &+ 0xC0FFEE)
        return Ed25519PrivateKey.generate(using: &chance)
    }

    package var seconds: Double { Double(now) / 1_000_000 }

    // MARK: Running

    /// Runs to the end, or to the first broken promise.
    @discardableResult
    package func run() -> BrokenPromise? {
        for place in 0..<nodeCount {
            // Not all at the same instant.
            start(place, at: Int64(chance.fraction() * 200_000))
        }
        for index in steps.indices {
            let spread = (steps[index].spread ?? 0) * chance.fraction()
            timeline.plan(.step(index), at: Int64((steps[index].at + spread) * 1_000_000))
        }
        planStalls()
        planSaying()
        look(at: 20_000_000)
        while broken == nil, let entry = timeline.next(), entry.time <= end {
            now = entry.time
            happen(entry.event)
        }
        now = end
        if broken == nil { see(.end) }
        for place in 0..<nodeCount { figures.octets.append(processes[place].octetsSent) }
        figures.seconds = Double(end) / 1_000_000
        figures.runs = 1
        return broken
    }

    private func happen(_ event: WorldEvent) {
        switch event {
        case .wake(let process): wake(process)
        case .arrive(let frame, let from, let to, let connection): arrive(frame, from, to, connection)
        case .connected(let from, let to, let connection): connected(from, to, connection)
        case .lost(let from, let to, let connection): lost(from, to, connection)
        case .refused(let from, let to, let connection): refused(from, to, connection)
        case .retry(let from, let to, let connection): retry(from, to, connection)
        case .thaw(let process): thaw(process)
        case .stall(let process): stall(process)
        case .step(let index): perform(steps[index])
        case .say: say()
        case .takeBack(let fact): takeBack(fact)
        case .look:
            guard now >= lookAt else { return }
            lookAt = .max
            see(.look)
            // Closely while something was just done, and then not until the next deed.
            if now - lastDeed < 60_000_000 { look(at: now + 250_000) }
        }
    }

    func look(at time: Int64) {
        guard time < lookAt else { return }
        lookAt = time
        timeline.plan(.look, at: time)
    }

    func see(_ sight: Sight) {
        for index in promises.indices {
            guard broken == nil else { return }
            if let text = promises[index].see(sight, in: self) {
                broken = BrokenPromise(
                    promise: type(of: promises[index]).name, text: text, seconds: seconds, seed: seed,
                    scenario: scenario.name, nodeCount: nodeCount)
            }
        }
    }

    // MARK: Machines

    private func wake(_ index: Int) {
        guard processes[index].wakeAt == now else { return }
        processes[index].wakeAt = .max
        guard let machine = processes[index].machine, processes[index].frozenSince == nil else { return }
        guard machine.wake <= processes[index].uptime(at: now) else { return planWake(index) }
        feed(index, .tick)
    }

    private func planWake(_ index: Int) {
        guard let wake = processes[index].machine?.wake else { return }
        let time = max(processes[index].time(of: wake), now + 1)
        guard time < processes[index].wakeAt else { return }
        processes[index].wakeAt = time
        timeline.plan(.wake(process: index), at: time)
    }

    /// Gives a process an event, now or once it moves again, and does what it wants done.
    func deliver(_ index: Int, _ event: ClusterMachine.Event) {
        guard processes[index].isRunning else { return }
        if processes[index].frozenSince != nil {
            processes[index].backlog.append((event, now))
        } else {
            feed(index, event)
        }
    }

    func feed(_ index: Int, _ event: ClusterMachine.Event) {
        let clock = processes[index].clock(at: now)
        carryOut(index) { $0.handle(event, now: clock, using: &chance, into: &$1) }
    }

    /// Lets a machine do something, and does what it wants done.
    func carryOut(_ index: Int, _ body: (inout ClusterMachine, inout [ClusterMachine.Action]) -> Void) {
        guard var machine = processes[index].machine else { return }
        // Taken out, so that it is changed in place and not copied.
        processes[index].machine = nil
        var wanted = actions
        actions = []
        body(&machine, &wanted)
        processes[index].machine = machine
        for action in wanted { perform(action, by: index) }
        wanted.removeAll(keepingCapacity: true)
        actions = wanted
        planWake(index)
    }

    private func perform(_ action: ClusterMachine.Action, by index: Int) {
        switch action {
        case .send(let body, let member): send(body, from: index, to: member)
        case .changed(let member, let from, let to):
            guard let subject = places[member] else { return }
            if to != .dead { remember(member, by: index) }
            see(.changed(observer: index, subject: subject, from: from, to: to))
        case .persist(let incarnation): processes[index].disk.incarnation = incarnation
        case .started(let incarnation, let isOld):
            see(.started(process: index, incarnation: incarnation, storeIsOld: isOld))
        case .storeIsOld(let seen): see(.storeIsOld(process: index, seen: seen))
        case .stopCloned:
            figures.clonesStopped += 1
            see(.stoppedAsClone(process: index))
            stop(index, because: "it was a clone")
        case .cloneSeen: figures.clonesSeen += 1
        case .evicted: see(.evicted(process: index))
        case .broadcast(let body, let members): for member in members { send(body, from: index, to: member) }
        case .facts(let changes): learn(changes, at: index)
        case .words(let words, _): learn(words, at: index)
        case .wordRefused: figures.refusals["word", default: 0] += 1
        case .moved: break  // nobody here says where it is
        case .factRefused(let refusal, _): figures.refusals[refusal.rawValue, default: 0] += 1
        case .refused(let refusal, _): figures.refusals[refusal.rawValue, default: 0] += 1
        }
    }

    /// What a node writes down of others, so that after a restart it knows who had been there.
    private func remember(_ member: NodeID, by index: Int) {
        guard let detector = processes[index].machine?.detector,
            let claim = detector.claims.first(where: { $0.node == member })
        else { return }
        processes[index].disk.seen[member] = claim.incarnation
    }

    // MARK: Frames

    private func send(_ body: Frame.Body, from index: Int, to member: NodeID) {
        guard let machine = processes[index].machine, let place = places[member] else { return }
        let target = routes.isEmpty ? place : routes[index << 16 | place] ?? place
        figures.frames += 1
        let hidden = processes[index].isHiding ? hiding(body, by: machine.node) : body
        guard let body = hidden else { return }
        let frame = machine.frame(body)
        // What facts cost is another question, and depends on how much is said.
        if case .probing = body {
            sampled += 1
            if sampled % Self.sampleEach == 0 {
                processes[index].octetsSent += frame.octets.count * Self.sampleEach
            }
        }
        guard network.isUp(index, target), !network.isCut(index, target), !processes[target].isPoweredOff
        else {
            figures.framesLost += 1
            return
        }
        let arrival = network.arrival(index, target, at: now, using: &chance)
        let number = inFlight.add(frame, sent: now)
        timeline.plan(
            .arrive(frame: number, from: index, to: target, connection: network.connection(index, target)),
            at: arrival)
    }

    private func arrive(_ number: Int, _ from: Int, _ to: Int, _ connection: UInt32) {
        let flight = inFlight.take(number)
        guard connection == network.connection(from, to), processes[to].isRunning else {
            figures.framesLost += 1
            return
        }
        if from >= nodeCount || !routes.isEmpty { routes[to << 16 | processes[from].place] = from }
        let late = now - flight.sent - network.delay(from, to)
        let age = Duration.milliseconds(max(late, 0) / 1_000)
        guard age <= Self.frameAgeLongest else {
            figures.framesLost += 1
            return
        }
        deliver(to, .frame(flight.frame, from: nodes[processes[from].place], age: age))
    }
}

/// Frames under way, by number; numbers are used again.
struct FrameTable {
    private var frames: [(frame: Frame, sent: Int64)?] = []
    private var free: [Int] = []

    mutating func add(_ frame: Frame, sent: Int64) -> Int {
        if let number = free.popLast() {
            frames[number] = (frame, sent)
            return number
        }
        frames.append((frame, sent))
        return frames.count - 1
    }

    mutating func take(_ number: Int) -> (frame: Frame, sent: Int64) {
        guard let frame = frames[number] else { fatalError("each frame arrives once") }
        frames[number] = nil
        free.append(number)
        return frame
    }
}
