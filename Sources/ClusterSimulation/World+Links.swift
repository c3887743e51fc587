import MailValues
import Membership

extension World {
    /// All links of a process to others, both ways.
    private func eachPeer(of index: Int, _ body: (Int) -> Void) {
        for peer in processes.indices where peer != index && processes[peer].place != processes[index].place {
            body(peer)
        }
    }

    func retry(_ from: Int, _ to: Int, _ connection: UInt32) {
        guard connection == network.connection(from, to), processes[from].isRunning, !network.isUp(from, to)
        else { return }
        let there = network.delay(from, to)
        // Nobody dials the address of a process that was never started.
        if to >= nodeCount && !processes[to].isRunning { return }
        if network.isCut(from, to) || processes[to].isPoweredOff || processes[to].frozenSince != nil
            || processes[from].frozenSince != nil
        {
            timeline.plan(
                .retry(from: from, to: to, connection: connection), at: now + Network.retryInterval)
        } else if !processes[to].isRunning {
            timeline.plan(.refused(from: from, to: to, connection: connection), at: now + 2 * there)
        } else {
            timeline.plan(
                .connected(from: from, to: to, connection: connection),
                at: now + Network.handshakeSteps * there)
        }
    }

    func connected(_ from: Int, _ to: Int, _ connection: UInt32) {
        guard connection == network.connection(from, to) else { return }
        guard processes[from].isRunning, processes[to].isRunning, !network.isCut(from, to) else {
            return retry(from, to, connection)
        }
        network.connect(from, to)
        deliver(from, .linkUp(nodes[processes[to].place]))
    }

    func refused(_ from: Int, _ to: Int, _ connection: UInt32) {
        guard connection == network.connection(from, to), !network.isUp(from, to) else { return }
        deliver(from, .linkRefused(nodes[processes[to].place]))
        timeline.plan(.retry(from: from, to: to, connection: connection), at: now + Network.retryInterval)
    }

    func lost(_ from: Int, _ to: Int, _ connection: UInt32) {
        guard connection == network.connection(from, to), network.isUp(from, to) else { return }
        // Healed before anybody noticed: the connection goes on.
        if processes[to].isRunning, !network.isCut(from, to), !processes[to].isPoweredOff { return }
        network.breakLink(from, to, isKnown: true)
        deliver(from, .linkDown(nodes[processes[to].place]))
        retry(from, to, network.connection(from, to))
    }

    // MARK: Processes

    func start(_ index: Int, at time: Int64? = nil) {
        let time = time ?? now
        guard !processes[index].isRunning else { return }
        let drift = (scenario.clocks?.drift ?? 0) / 1_000_000
        processes[index].rate = 1 + drift * (2 * chance.fraction() - 1)
        processes[index].startedAt = time
        processes[index].gone = []
        processes[index].isPoweredOff = false
        processes[index].frozenSince = nil
        processes[index].isHeld = false
        processes[index].backlog = []
        processes[index].ending = nil
        let known = processes[index].disk.seen
        let members = Dictionary(uniqueKeysWithValues: admitted.map { (nodes[$0], known[nodes[$0]] ?? 0) })
        processes[index].machine = ClusterMachine(
            cluster: cluster, key: keys[processes[index].place], stored: processes[index].disk.incarnation,
            nonce: chance.next() | 1, admitted: members, facts: table, words: words(of: index),
            wordSettings: wordSettings, settings: settings, now: .start)
        processes[index].wakeAt = time
        timeline.plan(.wake(process: index), at: time)
        eachPeer(of: index) { peer in
            network.breakLink(index, peer, isKnown: true)
            let connection = network.connection(index, peer)
            timeline.plan(.retry(from: index, to: peer, connection: connection), at: time)
            // A process in a spare place was dialled by nobody so far.
            if index >= nodeCount, processes[peer].isRunning {
                network.breakLink(peer, index, isKnown: true)
                timeline.plan(
                    .retry(from: peer, to: index, connection: network.connection(peer, index)), at: time)
            }
        }
    }

    /// The process is gone; its machine says so to whoever asks, unless it went too.
    func stop(_ index: Int, because ending: String, withMachine: Bool = false) {
        guard processes[index].isRunning else { return }
        processes[index].machine = nil
        processes[index].ending = ending
        processes[index].backlog = []
        processes[index].isPoweredOff = withMachine
        eachPeer(of: index) { peer in
            network.breakLink(index, peer, isKnown: true)
            network.breakLink(peer, index, isKnown: false)
            guard network.isUp(peer, index) else {
                let connection = network.connection(peer, index)
                return timeline.plan(
                    .retry(from: peer, to: index, connection: connection), at: now + Network.retryInterval)
            }
            let wait = withMachine ? Network.heartbeatTimeout : network.delay(peer, index)
            timeline.plan(
                .lost(from: peer, to: index, connection: network.connection(peer, index)), at: now + wait)
        }
    }

    /// Parts processes; what is under way across is lost, and the heartbeat finds out.
    func setSides(_ sides: [Int]) {
        network.sides = sides
        for from in processes.indices {
            for to in processes.indices where from != to && network.isCut(from, to) {
                guard network.isUp(from, to) else { continue }
                network.breakLink(from, to, isKnown: false)
                timeline.plan(
                    .lost(from: from, to: to, connection: network.connection(from, to)),
                    at: now + Network.heartbeatTimeout)
            }
        }
    }

    // MARK: Standing still

    /// `stays`: until it is thawed by a deed, however short a stall it had meanwhile.
    func freeze(_ index: Int, stays: Bool) {
        guard processes[index].isRunning else { return }
        if stays { processes[index].isHeld = true }
        if processes[index].frozenSince == nil { processes[index].frozenSince = now }
    }

    func thaw(_ index: Int) {
        guard processes[index].frozenSince != nil, !processes[index].isHeld else { return }
        processes[index].frozenSince = nil
        let backlog = processes[index].backlog
        processes[index].backlog = []
        for (event, arrived) in backlog where processes[index].isRunning {
            switch event {
            case .frame(let frame, let from, let age):
                let age = age + .milliseconds((now - arrived) / 1_000)
                guard age <= Self.frameAgeLongest else { continue }
                feed(index, .frame(frame, from: from, age: age))
            default: feed(index, event)
            }
        }
        if processes[index].isRunning { feed(index, .tick) }
    }

    func planStalls() {
        guard let stalls = scenario.stalls else { return }
        let count = max(1, Int(Double(nodeCount) * stalls.share))
        for index in (0..<nodeCount).shuffled(using: &chance).prefix(count) {
            planStall(index, stalls)
        }
    }

    private func planStall(_ index: Int, _ stalls: Scenario.Stalls) {
        let wait = stalls.every * (0.5 + chance.fraction())
        timeline.plan(.stall(process: index), at: now + Int64(wait * 1_000_000))
    }

    func stall(_ index: Int) {
        guard let stalls = scenario.stalls else { return }
        if processes[index].isRunning, processes[index].frozenSince == nil {
            figures.stalls += 1
            freeze(index, stays: false)
            timeline.plan(.thaw(process: index), at: now + Int64(stalls.seconds * 1_000_000))
        }
        planStall(index, stalls)
    }
}
