/// What was taken back, or whose time is over, is heard of nobody again, however long a node was away that still had it.
struct NothingGoneRises: Promise {
    static let name = "nothing that is gone rises again"

    mutating func see(_ sight: Sight, in world: World) -> String? {
        if let risen = world.risen { return risen }
        switch sight {
        case .look, .end:
            guard world.isWhole, world.now - world.lastDeed > World.quiet else { return nil }
            for index in 0..<world.nodeCount
            where world.isThere(index) && world.processes[index].frozenSince == nil {
                if let risen = world.risen(at: index) { return risen }
            }
            return nil
        case .changed, .started, .storeIsOld, .stoppedAsClone, .evicted, .deed: return nil
        }
    }
}
