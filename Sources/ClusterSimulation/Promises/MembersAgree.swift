import Membership

/// Ten seconds after the network is whole and nothing more is done, all that run hold each other for present.
struct MembersAgree: Promise {
    static let name = "members agree"
    static let patience: Int64 = 10_000_000

    private var settledAt: Int64?

    mutating func see(_ sight: Sight, in world: World) -> String? {
        switch sight {
        case .deed: settledAt = nil
        case .look, .end:
            guard world.isWhole else { return nil }
            let quarrel = settledAt == nil ? quarrel(in: world) : nil
            if quarrel == nil {
                if settledAt == nil, world.figures.healedAt == world.lastDeed, world.lastDeed > 0 {
                    world.figures.agreed.append((world.now - world.lastDeed) / 1_000)
                }
                settledAt = settledAt ?? world.now
            }
            guard world.now - max(world.lastDeed, 10_000_000) > Self.patience else { return nil }
            return quarrel
        case .changed, .started, .storeIsOld, .stoppedAsClone, .evicted: break
        }
        return nil
    }

    private func quarrel(in world: World) -> String? {
        for observer in 0..<world.nodeCount where world.isThere(observer) {
            guard world.processes[observer].machine?.detector != nil else {
                return "node \(observer) has not found its incarnation"
            }
            for subject in 0..<world.nodeCount where world.isThere(subject) {
                guard world.processes[subject].frozenSince == nil else { continue }
                let state = world.state(of: subject, by: observer)
                // A parked one that has not gone yet says so itself.
                guard state == .dead || state == .left || state == .joining || state == nil else { continue }
                return
                    "node \(observer) holds node \(subject) \(state.map { "\($0)" } ?? "unknown"), which runs"
            }
        }
        return nil
    }
}
