/// Places for what mostly takes a moment and sometimes takes forever: who is slow moves to a second share, so
/// that the slow never keep the quick from starting.
package struct PatienceShare: Sendable, Equatable {
    package let quickLimit: Int
    package private(set) var quickCount = 0
    package let slowLimit: Int
    package private(set) var slowCount = 0

    package init(quickLimit: Int, slowLimit: Int) {
        self.quickLimit = quickLimit
        self.slowLimit = slowLimit
    }

    package var hasRoom: Bool { quickCount < quickLimit }
    package var isCrowded: Bool { slowCount >= slowLimit }

    package mutating func enter() { quickCount += 1 }

    /// Moves one to the slow share; false: that is full too, and it keeps its place among the quick.
    package mutating func becameSlow() -> Bool {
        guard !isCrowded else { return false }
        quickCount -= 1
        slowCount += 1
        return true
    }

    package mutating func leave(wasSlow: Bool) {
        if wasSlow { slowCount -= 1 } else { quickCount -= 1 }
        precondition(quickCount >= 0 && slowCount >= 0, "a place is left once, by who holds it")
    }
}
