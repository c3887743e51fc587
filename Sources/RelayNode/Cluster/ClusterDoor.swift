package import Cryptography
package import GossipTransport
package import MailValues
package import Membership
package import QueueEngine

/// A member's door with its book behind it: who is let in is on disk before he hears so.
package struct ClusterDoor: Sendable {
    package struct Outcome: Sendable {
        /// As it is with the new member in it.
        package var book: AdmissionBook
        /// To be told to all members, and let in by the transport.
        package var admitted: Admission?
        package var refusal: JoinRefusal?
        /// Nil: nothing can be promised now; the stranger may ask again.
        package var answer: [UInt8]?
        package var failure: StoreError?
    }

    private let keeper: Doorkeeper
    private let store: ClusterStore

    package init(identity: Ed25519PrivateKey, store: ClusterStore) {
        keeper = Doorkeeper(identity: identity)
        self.store = store
    }

    /// Judges one request, and stores what follows from it before anything is said.
    package func serve(
        _ request: JoinRequest, book: AdmissionBook, introductions: [Introduction], evictions: [Order] = [],
        now: Timestamp
    ) async -> Outcome {
        var outcome = Outcome(book: book)
        let actions = keeper.handle(
            request.octets, from: request.key.octets, book: &outcome.book, introductions: introductions,
            evictions: evictions, now: now)
        for action in actions {
            switch action {
            case .admit(let admission):
                // Without it on disk a restart would have used the token and not know the node.
                if let failure = await store.admit(admission) {
                    return Outcome(book: book, failure: failure)
                }
                outcome.admitted = admission
            case .answer(let octets): outcome.answer = octets
            case .refused(let refusal): outcome.refusal = refusal
            }
        }
        return outcome
    }
}
