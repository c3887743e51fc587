import Membership

/// What a node keeps in mind does not grow with time or trouble.
struct MemoryIsBounded: Promise {
    static let name = "memory is bounded"

    mutating func see(_ sight: Sight, in world: World) -> String? {
        switch sight {
        case .look, .end: break
        case .changed, .started, .storeIsOld, .stoppedAsClone, .evicted, .deed: return nil
        }
        for index in 0..<world.nodeCount {
            guard let burden = world.processes[index].machine?.detector?.burden else { continue }
            let limit = 512 + 16 * world.nodeCount
            if burden > limit { return "node \(index) keeps \(burden) things in mind" }
        }
        return nil
    }
}
