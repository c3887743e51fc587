import Membership

/// A node that runs, and to which nothing was done, is dead to nobody.
struct NobodyDiesFalsely: Promise {
    static let name = "nobody dies falsely"

    mutating func see(_ sight: Sight, in world: World) -> String? {
        guard case .changed(let observer, let subject, _, .dead) = sight else { return nil }
        guard world.isThere(subject), world.now > world.troubleUntil[subject], world.isWhole else {
            return nil
        }
        // An evicted node, a clone, or a node that stood still itself is no witness.
        guard observer < world.nodeCount, world.admitted.contains(observer),
            world.now > world.troubleUntil[observer]
        else { return nil }
        return "node \(observer) holds node \(subject) dead, which runs"
    }
}
