/// No start takes an incarnation that its node had before, whatever the store remembers.
///
/// A start that reached nobody can only believe its store; it is found out later, and counted again from then.
struct IncarnationsRise: Promise {
    static let name = "incarnations rise"

    private var highest: [Int: UInt64] = [:]

    mutating func see(_ sight: Sight, in world: World) -> String? {
        switch sight {
        case .started(let process, let incarnation, _):
            let place = world.processes[process].place
            let before = highest[place] ?? 0
            highest[place] = max(before, incarnation)
            guard incarnation <= before, process < world.nodeCount, world.isWhole else { return nil }
            guard
                !world.processes.indices.contains(where: {
                    $0 != process && world.processes[$0].place == place && world.processes[$0].isRunning
                })
            else { return nil }
            return "node \(place) starts as \(incarnation) and was \(before)"
        case .storeIsOld(let process, let seen):
            let place = world.processes[process].place
            highest[place] = max(highest[place] ?? 0, seen + 1)
        case .changed, .stoppedAsClone, .evicted, .deed, .look, .end: break
        }
        return nil
    }
}
