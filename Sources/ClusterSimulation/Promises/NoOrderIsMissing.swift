/// Whatever some hide: half a minute after the network is whole and nothing more is done, everybody has all orders.
struct NoOrderIsMissing: Promise {
    static let name = "no order is missing"
    private static let patience: Int64 = 30_000_000

    /// The deed after which all were found to be known.
    private var settledAfter: Int64 = -1

    mutating func see(_ sight: Sight, in world: World) -> String? {
        guard !world.orders.isEmpty, world.isWhole else { return nil }
        switch sight {
        case .look, .end:
            guard settledAfter != world.lastDeed else { return nil }
            let lack = lack(in: world)
            if lack == nil {
                settledAfter = world.lastDeed
                if world.figures.healedAt == world.lastDeed, world.lastDeed > 0 {
                    world.figures.ordersAgreed.append((world.now - world.lastDeed) / 1_000)
                }
            }
            return world.now - world.lastDeed > Self.patience ? lack : nil
        case .changed, .started, .storeIsOld, .stoppedAsClone, .evicted, .deed: return nil
        }
    }

    private func lack(in world: World) -> String? {
        for index in 0..<world.nodeCount
        where world.isThere(index) && world.processes[index].frozenSince == nil {
            if let lack = world.missingOrder(at: index) { return lack }
        }
        return nil
    }
}
