/// Of two processes with one key, one ends; a node that was alone never does.
struct ClonesEnd: Promise {
    static let name = "clones end"

    mutating func see(_ sight: Sight, in world: World) -> String? {
        switch sight {
        case .stoppedAsClone(let process):
            let place = world.processes[process].place
            let twins = world.processes.indices.filter {
                world.processes[$0].place == place && world.processes[$0].isRunning
            }
            return twins.count < 2 ? "node \(place) ended as a clone, and there was no other" : nil
        case .end:
            for spare in world.nodeCount..<world.processes.count where world.processes[spare].isRunning {
                let place = world.processes[spare].place
                if world.processes[place].isRunning { return "both processes of node \(place) run" }
            }
            return nil
        case .changed, .started, .storeIsOld, .evicted, .deed, .look: return nil
        }
    }
}
