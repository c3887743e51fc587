/// What was counted about a subject, each a number that halves in a day.
package struct Counters: Sendable, Equatable {
    package enum Kind: Int, Sendable, CaseIterable {
        case good, spam, virus, trap, unknownRecipient, refusedRelay, junk, failedLogin
    }

    // Halves, and not the whole: of a value with an alignment of 32 octets that lives across an `await`, Swift 6.3's
    // optimiser lays out a frame longer than it asks for, and what lies behind the frame is overwritten.
    @usableFromInline var low: SIMD4<Float>
    @usableFromInline var high: SIMD4<Float>

    /// One lane for each kind, so that decay and sums take an instruction or two.
    @inlinable
    package var lanes: SIMD8<Float> {
        get { SIMD8(lowHalf: low, highHalf: high) }
        set { (low, high) = (newValue.lowHalf, newValue.highHalf) }
    }

    package static let zero = Counters(lanes: .zero)
    /// No counter is above it, whoever counted: what is more says nothing more.
    package static let highest: Float = 1e9

    @inlinable
    package init(lanes: SIMD8<Float>) { (low, high) = (lanes.lowHalf, lanes.highHalf) }

    package init(_ counts: [Kind: Float]) {
        self = .zero
        for (kind, count) in counts { lanes[kind.rawValue] = count }
    }

    @inlinable
    package subscript(kind: Kind) -> Float {
        get { lanes[kind.rawValue] }
        set { lanes[kind.rawValue] = newValue }
    }

    @inlinable
    package var total: Float { lanes.sum() }

    /// How much one occurrence says for or against who did it. A trap is an address that nobody ever gave away;
    /// an unknown recipient may be a slip of the pen.
    @usableFromInline static let weights = SIMD8<Float>(0, 1, 3, 4, 0.25, 2, 0.3, 0.5)

    /// All that speaks against the subject, in units of one spam.
    @inlinable
    package var badness: Float { (lanes * Self.weights).sum() }

    @inlinable
    package func decayed(by factor: Float) -> Counters { Counters(lanes: lanes * factor) }
}

/// The decay of counters: half in a day, in any two steps as in one.
package enum Decay {
    package static let halfLifeMilliseconds: Int64 = 24 * 3_600_000

    /// 2^(-elapsed / half-life), within 10^-6. Written out, so that all nodes reckon alike on any libm; the
    /// fraction's power is its series up to the seventh term.
    @inlinable
    package static func factor(milliseconds: Int64) -> Float {
        guard milliseconds > 0 else { return 1 }
        guard milliseconds < 120 * halfLifeMilliseconds else { return 0 }
        let (whole, rest) = milliseconds.quotientAndRemainder(dividingBy: halfLifeMilliseconds)
        let x = -Float(rest) / Float(halfLifeMilliseconds) * 0.693_147_18
        var power = 1 + x / 7
        power = 1 + x / 6 * power
        power = 1 + x / 5 * power
        power = 1 + x / 4 * power
        power = 1 + x / 3 * power
        power = 1 + x / 2 * power
        power = 1 + x * power
        return power * Float(sign: .plus, exponent: -Int(whole), significand: 1)
    }
}
