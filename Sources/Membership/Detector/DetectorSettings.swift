/// How patient the failure detector is. Over connections a lost packet delays all behind it by 200 ms and more,
/// so the waits are wider than those made for datagrams.
package struct DetectorSettings: Sendable, Equatable {
    /// From one probe to the next, in good health.
    package var probeInterval: Duration = .milliseconds(500)
    /// Without an answer for so long, others are asked to probe.
    package var directWait: Duration = .milliseconds(500)
    /// How long a helper waits before it says that it has no answer either.
    package var helperWait: Duration = .milliseconds(400)
    /// How long the helpers' answers are waited for.
    package var indirectWait: Duration = .milliseconds(700)
    /// Members that are asked to probe.
    package var helperCount = 3
    /// By how much a node in bad health is slower than one in good health, at most (Lifeguard §4.1).
    package var healthMultiplierHighest = 8

    /// From suspicion to death once `confirmationCount` others agree. With the two waits before it, nobody is
    /// dead before four seconds of silence.
    package var suspicionShortest: Duration = .milliseconds(3_000)
    /// The same while nobody agrees.
    package var suspicionLongest: Duration = .milliseconds(9_000)
    package var confirmationCount = 3
    /// So long before the end of a suspicion the suspect is asked by each for itself: nobody is buried on
    /// hearsay.
    package var lastProbeLead: Duration = .milliseconds(1_500)
    /// Silence before which nobody dies, unless its machine says that the process is gone.
    package var silenceShortest: Duration = .milliseconds(4_000)
    /// Who was heard within this time does not die by somebody else's word.
    package var heardLately: Duration = .milliseconds(3_000)
    /// Connections refused for so long, and no helper that reaches it: the process is gone.
    package var refusalWait: Duration = .milliseconds(1_000)
    /// After a helper reached one that refuses us, so long until we ask again.
    package var refusalQuiet: Duration = .milliseconds(5_000)

    /// From one probe of a dead member to the next.
    package var deadProbeInterval: Duration = .milliseconds(1_000)
    /// A wake-up that comes so late means that it was we who were away.
    package var stallShortest: Duration = .milliseconds(500)
    /// Between two comparisons of all that is believed; grows with the cluster, so that traffic does not.
    package var syncInterval: Duration = .milliseconds(2_000)
    package var syncIntervalPerMember: Duration = .milliseconds(30)
    /// Members to which a change is told at once.
    package var pushCount = 3

    /// Frames of an older start for so long beside those of the newer one: both are alive.
    package var cloneWait: Duration = .milliseconds(1_500)
    /// Heard within this time is alive now, where clones are told from restarts.
    package var cloneWindow: Duration = .milliseconds(3_000)
    /// Rules that are left out, so that a test can show what each is for.
    package var omitted: Set<DetectorRule> = []

    package init() {}
}

/// Rules that were paid for: without each, a simulation shows what breaks.
package enum DetectorRule: Sendable, CaseIterable {
    /// Each second one dead member is probed; otherwise two healed sides keep each other dead for ever.
    case deadAreProbed
    /// A frame from a dead member is answered with its state, so that it can refute.
    case deadAreTold
    /// Where views differ, everything is compared: what rumours left out is made good.
    case viewsAreCompared
    /// After a stall of our own, nobody else is blamed for it.
    case ownStallIsForgiven
    /// Others are asked before anybody is suspected.
    case helpersAreAsked
}
