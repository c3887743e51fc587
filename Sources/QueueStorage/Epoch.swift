import MailValues
import QueueEngine

/// Counts how often this store began again from a copy or after a repair; and who holds what it then found.
///
/// Every value remembers the epoch in which it was written. What is older than the store's own is held,
/// without having been written again; an amendment (a release, for instance) is written in the present epoch
/// and ends that.
struct Epoch: Equatable, Sendable {
    var number: UInt64 = 0
    var hold: Envelope.Hold?
}
