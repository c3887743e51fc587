/// Places for what mostly takes a moment and sometimes takes forever: who is slow moves to a second share, so
/// that the slow never keep the quick from starting. Where no quick one is free, a few more are kept for who came last.
package struct PatienceShare: Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        case quick, slow
        /// To be given back, or up, as soon as its holder is slow.
        case kept
    }

    package let quickLimit: Int
    package let slowLimit: Int
    package let keptLimit: Int
    package private(set) var quickCount = 0
    package private(set) var slowCount = 0
    package private(set) var keptCount = 0

    package init(quickLimit: Int, slowLimit: Int, keptLimit: Int = 0) {
        self.quickLimit = quickLimit
        self.slowLimit = slowLimit
        self.keptLimit = keptLimit
    }

    package var hasRoom: Bool { quickCount < quickLimit }
    package var hasRoomForNewest: Bool { hasRoom || keptCount < keptLimit }
    package var isCrowded: Bool { slowCount >= slowLimit }

    package mutating func enter() -> Place {
        let place: Place = hasRoom || keptLimit == 0 ? .quick : .kept
        self[place] += 1
        return place
    }

    /// Moves one to the slow share; false: that is full too, and it stays where it is.
    package mutating func becameSlow(_ place: Place) -> Bool {
        guard !isCrowded else { return false }
        self[place] -= 1
        slowCount += 1
        return true
    }

    package mutating func leave(_ place: Place) { self[place] -= 1 }

    private subscript(place: Place) -> Int {
        get {
            switch place {
            case .quick: quickCount
            case .slow: slowCount
            case .kept: keptCount
            }
        }
        set {
            precondition(newValue >= 0, "a place is left once, by who holds it")
            switch place {
            case .quick: quickCount = newValue
            case .slow: slowCount = newValue
            case .kept: keptCount = newValue
            }
        }
    }
}
