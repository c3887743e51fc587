package import QueueEngine

extension LeavingShell {
    /// Messages that are removed in one commit.
    private static let removedAtOnce = 256

    /// Makes the store of a node that has left fit for a new membership: what was given away goes. Nothing else may use the
    /// store meanwhile. Nil: done.
    ///
    /// Receipts stay, since a leaver that comes back late may ask this node too; so does the number of the last leaving,
    /// that no later one bears.
    package static func forgetLeaving(in store: any QueueStore) async -> StoreError? {
        do throws(StoreError) {
            let found = try LeavingNotes.load(from: store)
            guard found.hasLeft else { return nil }
            var given: [QueueChange] = []
            try store.scan { envelope in
                guard envelope.offered != nil else { return true }
                given.append(
                    .remove(
                        envelope.id, chunkCount: envelope.chunkCount,
                        recipientCount: envelope.recipients.count))
                return true
            }
            for start in stride(from: 0, to: given.count, by: removedAtOnce) {
                let part = Array(given[start..<min(start + removedAtOnce, given.count)])
                if let error = await commit(part, to: store) { return error }
            }
            // Last: broken off before, it begins again.
            return await commit([LeavingNotes.left(false)], to: store)
        } catch {
            return error
        }
    }

    private static func commit(_ changes: [QueueChange], to store: any QueueStore) async -> StoreError? {
        await withCheckedContinuation { continuation in
            store.commit(changes, lane: LeavingInbox()) { result in
                if case .failure(let error) = result {
                    continuation.resume(returning: error)
                } else {
                    continuation.resume(returning: nil)
                }
            }
        }
    }
}
