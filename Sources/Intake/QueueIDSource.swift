package import MailValues
import Synchronization

/// Makes queue ids: the time, 16 bits drawn at start, and a counter that begins at a random number.
///
/// Two processes would have to draw the same 80 bits in the same millisecond to make one id twice.
package final class QueueIDSource: Sendable {
    private let entropyHigh: UInt16
    private let counter: Atomic<UInt64>

    package init(using random: inout some RandomNumberGenerator) {
        entropyHigh = .random(in: 0...UInt16.max, using: &random)
        counter = Atomic(.random(in: 0...UInt64.max, using: &random))
    }

    package func next(at now: Timestamp) -> QueueID {
        QueueID(
            at: now, entropyHigh: entropyHigh,
            entropyLow: counter.wrappingAdd(1, ordering: .relaxed).newValue)
    }
}
