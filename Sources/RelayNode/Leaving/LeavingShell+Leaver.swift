import Delivery
import MailValues
import QueueEngine

extension LeavingShell {
    func perform(_ action: Leaver.Action) {
        switch action {
        case .stopIntake: begin(.stopIntake)
        case .resumeIntake: begin(.resumeIntake)
        case .readQueue: begin(.readQueue)
        case .writeEpoch(let epoch): commit([LeavingNotes.epoch(epoch)], .epoch)
        case .mark(let ids, let mark, let isAgain): self.mark(ids, mark, isAgain: isAgain)
        case .unmark(let ids): unmark(ids)
        case .remove(let ids): remove(ids)
        case .writeLeft: begin(.lookLast)
        case .left: seams.hasLeft()
        case .send, .closeToOffers: preconditionFailure("who joins both machines keeps this to himself")
        }
    }

    // MARK: The queue

    private static let portion = 1_024

    /// What the queue holds and bears no mark, in portions; ends with `queueRead`.
    nonisolated func readQueue() async {
        // Before all is scheduled, what the schedule does not know is not gone.
        while !Task.isCancelled, !dispatcher.isRebuilt { try? await Task.sleep(for: .milliseconds(50)) }
        while !Task.isCancelled {
            do throws(StoreError) {
                try readUnmarked { self.inbox.put(.event(.leaver(.queue($0)))) }
                guard !Task.isCancelled else { return }
                return inbox.put(.event(.leaver(.queueRead)))
            } catch {
                // Until it can be read nothing ends; an operator sees the store's own alarm.
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// † Everything else is said to be given away: the disk is asked, and it alone knows.
    nonisolated func lookLast() async {
        var messages: [Leaver.Message] = []
        do throws(StoreError) {
            try readUnmarked { messages += $0 }
            // Cut short, it has not seen all.
            guard !Task.isCancelled else { return }
            inbox.put(.lookedLast(messages, obstacle: nil))
        } catch {
            try? await Task.sleep(for: .seconds(1))
            inbox.put(.lookedLast(nil, obstacle: "the queue cannot be read: \(error.words)"))
        }
    }

    private nonisolated func readUnmarked(_ body: ([Leaver.Message]) -> Void) throws(StoreError) {
        var portion: [Leaver.Message] = []
        try store.scan { envelope in
            guard envelope.offered == nil, envelope.isWaiting else { return true }
            portion.append(Leaver.Message(envelope))
            if portion.count == Self.portion {
                body(portion)
                portion.removeAll(keepingCapacity: true)
            }
            return !Task.isCancelled
        }
        body(portion)
    }

    func lookedLast(_ messages: [Leaver.Message]?, _ obstacle: String?) {
        guard phase == .signing else { return }
        self.obstacle = obstacle
        if messages?.isEmpty == true { return commit([LeavingNotes.left()], .left) }
        // Reports that were written meanwhile, or what was thought to be gone: all goes on with them.
        handle(.leaver(.writeFailed))
        for message in messages ?? [] { handle(.leaver(.arrived(message))) }
    }

    // MARK: Marks

    private func mark(_ ids: [QueueID], _ mark: Envelope.Handover, isAgain: Bool) {
        var marking = LeavingWrite.Marking(heir: mark.node, ids: ids)
        var candidates = ids
        if !isAgain {
            let relinquished = dispatcher.relinquish(ids)
            candidates = relinquished.fit
            marking.busy = relinquished.busy
            marking.gone = relinquished.gone
        }
        var changes: [QueueChange] = []
        changes.reserveCapacity(candidates.count)
        for id in candidates {
            do throws(StoreError) {
                guard var envelope = try store.envelope(id), envelope.isWaiting else {
                    marking.gone.append(id)
                    continue
                }
                if !isAgain { marking.former.append(envelope) }
                marking.fit.append(id)
                envelope.offered = mark
                changes.append(.amend(envelope))
            } catch {
                // Damaged, it is attempted here no more than given away; the last look finds it again.
                obstacle = "\(id) cannot be read: \(error.words)"
                marking.busy.append(id)
            }
        }
        guard !changes.isEmpty else { return marked(marking, isDone: true) }
        commit(changes, .mark(marking))
    }

    func marked(_ marking: LeavingWrite.Marking, isDone: Bool) {
        if isDone {
            handle(.leaver(.marked(marking.heir, marking.fit, busy: marking.busy, gone: marking.gone)))
        } else {
            // What bore no mark is offered nobody yet: it is this node's, whatever is on the disk.
            for envelope in marking.former { dispatcher.arrived(envelope, content: []) }
            handle(.leaver(.markFailed(marking.heir, marking.ids)))
        }
    }

    private func unmark(_ ids: [QueueID]) {
        guard var envelopes = read(ids) else { return handle(.leaver(.unmarkFailed(ids))) }
        for index in envelopes.indices { envelopes[index].offered = nil }
        commit(envelopes.map { .amend($0) }, .unmark(ids, envelopes))
    }

    func unmarked(_ ids: [QueueID], _ envelopes: [Envelope], isDone: Bool) {
        guard isDone else { return handle(.leaver(.unmarkFailed(ids))) }
        for envelope in envelopes { dispatcher.arrived(envelope, content: []) }
        handle(.leaver(.unmarked(ids)))
    }

    private func remove(_ ids: [QueueID]) {
        guard let envelopes = read(ids) else { return handle(.leaver(.unmarkFailed(ids))) }
        commit(
            envelopes.map {
                .remove($0.id, chunkCount: $0.chunkCount, recipientCount: $0.recipients.count)
            }, .remove(ids))
    }

    /// Those that are there; nil: something could not be read.
    private func read(_ ids: [QueueID]) -> [Envelope]? {
        var envelopes: [Envelope] = []
        for id in ids {
            do throws(StoreError) {
                if let envelope = try store.envelope(id) { envelopes.append(envelope) }
            } catch {
                obstacle = "\(id) cannot be read: \(error.words)"
                return nil
            }
        }
        return envelopes
    }

    // MARK: What goes with a frame

    /// Puts the octets of mail in, which the machine never sees.
    func filled(_ frame: LeavingFrame, for heir: NodeID) -> LeavingFrame {
        switch frame {
        case .offer(var offer):
            do throws(StoreError) { try fill(&offer, for: heir) } catch {
                // Without them the heir says that it is damaged, and the message stays.
                obstacle = "\(offer.id) cannot be read: \(error.words)"
                offer.envelope = nil
            }
            return .offer(offer)
        case .piece(var piece):
            // Empty, the heir refuses it, and the message stays.
            piece.octets = ((try? store.contentPiece(piece.id, number: piece.number)) ?? nil) ?? []
            return .piece(piece)
        case .open, .probe, .testament, .opened, .found, .answers, .fetch, .ended, .testamentKept:
            return frame
        }
    }

    private func fill(_ offer: inout LeavingFrame.Offer, for heir: NodeID) throws(StoreError) {
        guard let envelope = try store.envelope(offer.id) else { return }
        // † What does not bear this heir's mark on the disk is not given to it, whatever anybody believes.
        guard envelope.offered == Envelope.Handover(heir, epoch: offer.epoch) else { return }
        if envelope.chunkCount == 0 {
            guard let octets = try store.contentPiece(offer.id, number: 0) else {
                throw .damaged(detail: "its content is missing")
            }
            offer.content = [octets]
        }
        offer.envelope = envelope
    }
}

extension Envelope {
    fileprivate var isWaiting: Bool { recipients.contains { $0.progress.state == .waiting } }
}
