/// The two ways from one node to another, so that what is large never delays a probe.
package enum Channel: UInt8, Sendable, CaseIterable {
    /// Probes and facts.
    case control = 0
    /// Messages handed over, and copies.
    case bulk = 1
}
