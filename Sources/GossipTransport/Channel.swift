/// Facts and probes here, copies and hand-over there, so that bulk never delays a probe.
package enum Channel: UInt8, Sendable, CaseIterable { case control, bulk }
