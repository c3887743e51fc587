package import Cryptography
package import GossipTransport
package import MailValues
package import Membership
package import QueueEngine

/// A member's door with its book behind it: who is let in is on disk before he hears so.
package struct ClusterDoor: Sendable {
    package struct Outcome: Sendable, Equatable {
        /// To be told to all members, and let in by the transport.
        package var admitted: Admission?
        package var refusal: JoinRefusal?
        /// Nil: nothing can be promised now; the stranger may ask again.
        package var answer: [UInt8]?
        package var failure: StoreError?
    }

    package private(set) var book: AdmissionBook
    private let keeper: Doorkeeper
    private let store: ClusterStore

    package init(_ book: AdmissionBook, identity: Ed25519PrivateKey, store: ClusterStore) {
        self.book = book
        keeper = Doorkeeper(identity: identity)
        self.store = store
    }

    /// Judges one request, and stores what follows from it before anything is said.
    package mutating func serve(_ request: JoinRequest, now: Timestamp) async -> Outcome {
        var next = book
        var outcome = Outcome()
        for action in keeper.handle(request.octets, from: request.key.octets, book: &next, now: now) {
            switch action {
            case .admit(let admission):
                // Without it on disk a restart would have used the token and not know the node.
                if let failure = await store.admit(admission) {
                    return Outcome(failure: failure)
                }
                outcome.admitted = admission
            case .answer(let octets): outcome.answer = octets
            case .refused(let refusal): outcome.refusal = refusal
            }
        }
        book = next
        return outcome
    }
}
