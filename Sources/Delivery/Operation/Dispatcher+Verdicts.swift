package import MailValues
import QueueEngine
import Synchronization

/// What verdicts ask of the queue.
extension Dispatcher {
    /// What holds a message by a verdict says so, with the fingerprint behind it.
    package static let verdictHold = "verdict:"

    /// Messages in the queue that bear a fingerprint, perhaps one or another that does not; from memory.
    package func bearers(of fingerprint: Fingerprint) -> [QueueID] {
        state.withLock { state in
            let ids = state.fingerprints.bearers(of: fingerprint)
            let known = ids.filter { state.scheduler.knows($0) }
            // One whose envelope was gone when it was to be tried left without a word.
            if known.count < ids.count {
                for id in Set(ids).subtracting(known) { state.fingerprints.remove([fingerprint], of: id) }
            }
            return known
        }
    }

    /// Fingerprints by which messages were held when they came into the queue or were read at the start; told once.
    package func takeVerdictHolds() -> Set<Fingerprint> {
        state.withLock { state in
            defer { state.verdictHolds = [] }
            return state.verdictHolds
        }
    }
}

extension DispatchState {
    /// What must be found again by its fingerprints.
    mutating func index(_ envelope: Envelope) {
        guard !envelope.fingerprints.isEmpty else { return }
        fingerprints.insert(envelope.fingerprints, of: envelope.id)
        guard let by = envelope.hold?.by, by.hasPrefix(Dispatcher.verdictHold),
            let fingerprint = Fingerprint(String(by.dropFirst(Dispatcher.verdictHold.count)))
        else { return }
        verdictHolds.insert(fingerprint)
    }
}
