/// Ten seconds after the network is whole and nothing more is done, everybody knows all that was said until then.
struct NoFactIsMissing: Promise {
    static let name = "no fact is missing"
    private static let patience: Int64 = 10_000_000

    /// The deed after which all was found to be known.
    private var settledAfter: Int64 = -1

    mutating func see(_ sight: Sight, in world: World) -> String? {
        guard !world.news.isEmpty, world.isWhole else { return nil }
        switch sight {
        case .look:
            guard settledAfter != world.lastDeed else { return nil }
            let isLate = world.now - world.lastDeed > Self.patience
            let lack = lack(in: world, saidBefore: world.lastDeed)
            if lack == nil {
                settledAfter = world.lastDeed
                if world.figures.healedAt == world.lastDeed, world.lastDeed > 0 {
                    world.figures.factsAgreed.append((world.now - world.lastDeed) / 1_000)
                }
            }
            return isLate ? lack : nil
        case .end: return lack(in: world, saidBefore: world.now)
        case .changed, .started, .storeIsOld, .stoppedAsClone, .evicted, .deed: return nil
        }
    }

    private func lack(in world: World, saidBefore time: Int64) -> String? {
        for index in 0..<world.nodeCount
        where world.isThere(index) && world.processes[index].frozenSince == nil {
            if let lack = world.missing(at: index, saidBefore: time) { return lack }
        }
        return nil
    }
}
