/// Who was evicted is no member to anybody from then.
struct EvictedAreNotHeard: Promise {
    static let name = "evicted are not heard"

    mutating func see(_ sight: Sight, in world: World) -> String? {
        switch sight {
        case .changed(let observer, let subject, _, let to):
            guard !world.admitted.contains(subject), world.processes[observer].place != subject else {
                return nil
            }
            return "node \(observer) takes node \(subject) for \(to), which was evicted"
        case .end:
            for subject in 0..<world.nodeCount where !world.admitted.contains(subject) {
                for observer in 0..<world.nodeCount where observer != subject && world.isThere(observer) {
                    guard world.state(of: subject, by: observer) == nil else {
                        return "node \(observer) still knows node \(subject), which was evicted"
                    }
                }
            }
            return nil
        case .started, .storeIsOld, .stoppedAsClone, .evicted, .deed, .look: return nil
        }
    }
}
