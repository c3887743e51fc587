import MailValues
import Membership

extension World {
    /// Does what the scenario says.
    func perform(_ step: Scenario.Step) {
        let index = (step.node ?? 0) % nodeCount
        // What a thawed node hears at once is old, and its deed's doing.
        lastDeed = now
        switch step.do {
        case .cut:
            let first = max(1, Int((Double(nodeCount) * (step.share ?? 0.5)).rounded(.down)))
            let parted = Set((step.nodes ?? Array(0..<first)).map { $0 % nodeCount })
            setSides(processes.indices.map { parted.contains(processes[$0].place) ? 0 : 1 })
            trouble(all: true)
        case .isolate:
            setSides(processes.indices.map { processes[$0].place == index ? 1 : 0 })
            trouble(all: true)
        case .heal:
            setSides(processes.map { _ in 0 })
            trouble(all: true)
            figures.healedAt = now
        case .kill: stop(index, because: "it was killed")
        case .powerOff: stop(index, because: "its machine went off", withMachine: true)
        case .start: start(index)
        case .freeze: freeze(index, stays: true)
        case .thaw:
            processes[index].isHeld = false
            thaw(index)
        case .snapshot: processes[index].snapshot = processes[index].disk
        case .startFromSnapshot:
            processes[index].disk = processes[index].snapshot ?? Process.Disk()
            start(index)
        case .clone:
            processes[nodeCount] = Process(place: index)
            processes[nodeCount].disk = processes[index].snapshot ?? processes[index].disk
            start(nodeCount)
        case .drain: deliver(index, .declare(.draining, within: nil))
        case .undrain: deliver(index, .declare(.alive, within: nil))
        case .park: deliver(index, .declare(.parked, within: .seconds(step.within ?? 120)))
        case .evict: evict(index)
        case .jump: processes[index].wallError += Int64((step.by ?? 0) * 1_000)
        case .order: order(at: index)
        case .hide: processes[index].isHiding = true
        }
        switch step.do {
        case .cut, .isolate, .heal, .snapshot, .jump, .order, .hide: break
        case .kill, .powerOff, .start, .freeze, .thaw, .startFromSnapshot, .clone, .drain, .undrain, .park,
            .evict:
            trouble(index)
        }
        look(at: now + 250_000)
        see(.deed(step, node: index))
    }

    private func evict(_ index: Int) {
        admitted.remove(index)
        for process in processes.indices
        where processes[process].isRunning && processes[process].place != index {
            let known = processes[process].disk.seen
            let members = Dictionary(
                uniqueKeysWithValues: admitted.map { (nodes[$0], known[nodes[$0]] ?? 0) })
            deliver(process, .admitted(members))
        }
    }

    /// For so long a node may be thought dead after something was done to it.
    private static let troubleSpan: Int64 = 20_000_000

    private func trouble(_ index: Int) {
        troubleUntil[index] = max(troubleUntil[index], now + Self.troubleSpan)
    }

    private func trouble(all: Bool) { for index in 0..<nodeCount { trouble(index) } }

    // MARK: What is true

    /// Whether a node is there: one of its processes runs, stands not still for long, and none is a spare.
    func isThere(_ index: Int) -> Bool {
        guard processes[index].isRunning, admitted.contains(index) else { return false }
        guard let since = processes[index].frozenSince else { return true }
        return now - since < 4_000_000
    }

    /// Whether the network is whole.
    var isWhole: Bool { !network.sides.contains { $0 != network.sides[0] } }

    func state(of subject: Int, by observer: Int) -> MemberState? {
        processes[observer].machine?.state(of: nodes[subject])
    }
}
