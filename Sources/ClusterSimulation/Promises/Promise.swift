package import Membership

/// Something that must hold in each run, whatever happens. One file each.
package protocol Promise {
    static var name: String { get }

    /// What broke the promise, or nil.
    mutating func see(_ sight: Sight, in world: World) -> String?
}

/// What promises look at.
package enum Sight {
    case changed(observer: Int, subject: Int, from: MemberState, to: MemberState)
    case started(process: Int, incarnation: UInt64, storeIsOld: Bool)
    case storeIsOld(process: Int, seen: UInt64)
    case stoppedAsClone(process: Int)
    case evicted(process: Int)
    case deed(Scenario.Step, node: Int)
    /// Four times a second in the minute after a deed.
    case look
    case end
}

/// The first promise that did not hold, and how to see it again.
package struct BrokenPromise: Sendable, Equatable, CustomStringConvertible {
    package let promise: String
    package let text: String
    package let seconds: Double
    package let seed: UInt64
    package let scenario: String
    package let nodeCount: Int

    package var description: String {
        "broken after \(seconds) s: \(promise): \(text)\n"
            + "again: simulate --nodes \(nodeCount) --seed \(seed) --scenario \(scenario)"
    }
}

/// All promises, each new for a run.
package enum PromiseCatalog {
    package static func all() -> [any Promise] {
        [
            NobodyDiesFalsely(), DeathIsKnown(), MembersAgree(), IncarnationsRise(), ClonesEnd(),
            EvictedAreNotHeard(), MemoryIsBounded(), NoFactIsMissing(), NothingGoneRises(),
            NoOrderIsMissing(),
        ]
    }
}
