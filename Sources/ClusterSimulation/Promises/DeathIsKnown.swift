import Membership

/// Whoever was killed or froze is soon known dead by all that can know it. How soon goes into the figures; this
/// is the bound for the slowest of all.
struct DeathIsKnown: Promise {
    static let name = "death is known"
    static let killedLongest: Int64 = 6_000_000
    static let silentLongest: Int64 = 14_000_000

    private struct Death {
        var subject: Int
        var at: Int64
        var isSilent: Bool
        var waiting: Set<Int>
    }

    private var deaths: [Death] = []

    mutating func see(_ sight: Sight, in world: World) -> String? {
        switch sight {
        case .deed(let step, let node): note(step, node, world)
        case .changed(let observer, let subject, _, .dead): known(observer, subject, world)
        case .look, .end: return late(world)
        case .changed, .started, .storeIsOld, .stoppedAsClone, .evicted: break
        }
        return nil
    }

    private mutating func note(_ step: Scenario.Step, _ node: Int, _ world: World) {
        switch step.do {
        case .kill, .powerOff, .freeze:
            // Of one that said it would be away, nobody wants to know.
            let witnesses = (0..<world.nodeCount).filter { other in
                guard other != node, world.isThere(other), !world.network.isCut(other, node),
                    let state = world.state(of: node, by: other)
                else { return false }
                return state.isPresent
            }
            deaths.append(
                Death(subject: node, at: world.now, isSilent: step.do != .kill, waiting: Set(witnesses)))
        case .start, .thaw, .startFromSnapshot, .evict: deaths.removeAll { $0.subject == node }
        case .cut, .isolate, .heal: deaths.removeAll()
        case .snapshot, .clone, .drain, .undrain, .park, .jump, .order, .hide: break
        }
        for index in deaths.indices { deaths[index].waiting.remove(node) }
    }

    private mutating func known(_ observer: Int, _ subject: Int, _ world: World) {
        for index in deaths.indices where deaths[index].subject == subject {
            guard deaths[index].waiting.remove(observer) != nil else { continue }
            let milliseconds = (world.now - deaths[index].at) / 1_000
            if deaths[index].isSilent {
                world.figures.silentKnown.append(milliseconds)
            } else {
                world.figures.killedKnown.append(milliseconds)
            }
        }
    }

    private func late(_ world: World) -> String? {
        for death in deaths where !death.waiting.isEmpty {
            guard world.now - death.at > (death.isSilent ? Self.silentLongest : Self.killedLongest) else {
                continue
            }
            guard let observer = death.waiting.min() else { continue }
            let state = world.state(of: death.subject, by: observer).map { "\($0)" } ?? "unknown"
            return "node \(observer) holds node \(death.subject) \(state), which is gone"
        }
        return nil
    }
}
