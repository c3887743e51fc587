import Delivery
import MailValues
import QueueEngine
import Telemetry

extension LeavingShell {
    /// Octets of messages that go in one commit.
    private static let commitOctets = 2 << 20
    /// Notes that are removed in one commit.
    private static let forgottenAtOnce = 4_096

    func perform(_ action: Heir.Action) {
        switch action {
        case .adopt(let adoption): gather(adoption)
        case .writeChunk(let id, let number, let octets): writeChunk(id, number, octets)
        case .forget(let subject, let ids):
            for start in stride(from: 0, to: ids.count, by: Self.forgottenAtOnce) {
                let part = ids[start..<min(start + Self.forgottenAtOnce, ids.count)]
                // What is not forgotten now is forgotten with the next session.
                commit(part.map { LeavingNotes.forget($0, subject) }, .forgotten)
            }
        case .keepTestament(let subject, let number, let receipts): keep(subject, number, receipts)
        case .send: preconditionFailure("who joins both machines sends for them")
        }
    }

    // MARK: Taking over

    private func gather(_ adoption: Heir.Adoption) {
        let id = adoption.receipt.id
        // † Never over a record of ours: it may be on its way to somebody else.
        guard !adopting.contains(id), hasNoRecord(id) else { return answer(adoption, .busy) }
        guard store.intakeRefusal == nil else { return answer(adoption, .full) }
        adopting.insert(id)
        adoptionOctets += adoption.envelope.sizeOctets
        adoptions.append(adoption)
        if adoptionOctets >= Self.commitOctets { adoptGathered() }
    }

    /// Message, receipt and history in one write, for all at once.
    func adoptGathered() {
        guard !adoptions.isEmpty else { return }
        let now = WallClock.now()
        var changes: [QueueChange] = []
        changes.reserveCapacity(adoptions.count * 3)
        for adoption in adoptions {
            let subject = LeavingFrame.Subject(leaver: adoption.leaver, heir: me)
            changes.append(.accept(NewMessage(envelope: adoption.envelope, content: adoption.content)))
            changes.append(LeavingNotes.receipt(adoption.receipt, subject))
            changes.append(
                .ledger(LedgerLine(id: adoption.receipt.id, at: now, line: line(adoption, now: now))))
        }
        commit(changes, .adoptions(adoptions))
        adoptions.removeAll()
        adoptionOctets = 0
    }

    private func line(_ adoption: Heir.Adoption, now: Timestamp) -> [UInt8] {
        var event = Event(.handover, at: now, message: adoption.receipt.id)
        event.add("node", .text(adoption.leaver.description))
        event.add("from", .text(adoption.envelope.reversePath.description))
        return event.encoded()
    }

    func adopted(_ adoptions: [Heir.Adoption], isDone: Bool) {
        guard isDone else {
            doubtful += adoptions.map {
                var rest = $0
                rest.content = []
                return rest
            }
            return
        }
        for adoption in adoptions { schedule(adoption.envelope, content: adoption.content) }
        var answers: [Dealing: [OfferAnswer]] = [:]
        for adoption in adoptions {
            adopting.remove(adoption.receipt.id)
            answers[Dealing(adoption.leaver, adoption.session), default: []].append(
                OfferAnswer(adoption.count, .taken))
        }
        for (dealing, answers) in answers {
            handle(.heir(.adopted(dealing.leaver, dealing.session, answers)))
        }
    }

    private struct Dealing: Hashable {
        var leaver: NodeID
        var session: LeavingSession
        init(_ leaver: NodeID, _ session: LeavingSession) {
            self.leaver = leaver
            self.session = session
        }
    }

    /// It is this node's: before anybody hears of it.
    private func schedule(_ envelope: Envelope, content: [[UInt8]]) {
        dispatcher.arrived(envelope, content: content)
        guard phase != .staying else { return }
        handle(.leaver(.arrived(Leaver.Message(envelope))))
    }

    /// † Of a failed write only the disk can tell, once it is certain: until then nothing is answered.
    func resolveDoubts() {
        guard !doubtful.isEmpty, store.isCertain else { return }
        let asked = doubtful
        doubtful = []
        for adoption in asked {
            let id = adoption.receipt.id
            let subject = LeavingFrame.Subject(leaver: adoption.leaver, heir: me)
            do throws(StoreError) {
                let isTaken = try LeavingNotes.receipt(id, subject, in: store) == adoption.receipt.epoch
                if isTaken, let envelope = try store.envelope(id) { schedule(envelope, content: []) }
                adopting.remove(id)
                answer(adoption, isTaken ? .taken : .full)
            } catch {
                doubtful.append(adoption)
            }
        }
    }

    private func answer(_ adoption: Heir.Adoption, _ outcome: OfferAnswer.Outcome) {
        handle(.heir(.adopted(adoption.leaver, adoption.session, [OfferAnswer(adoption.count, outcome)])))
    }

    /// False where that cannot be read either.
    private func hasNoRecord(_ id: QueueID) -> Bool {
        do throws(StoreError) { return try store.envelope(id) == nil } catch { return false }
    }

    // MARK: Large messages

    private func writeChunk(_ id: QueueID, _ number: UInt32, _ octets: [UInt8]) {
        guard !octets.isEmpty, store.intakeRefusal == nil, !adopting.contains(id), hasNoRecord(id) else {
            return handle(.heir(.chunkWritten(id, number: number, isDone: false)))
        }
        // Chunks are put once: a second one under the same key would rise again when the first is taken back.
        if doubtfulChunks.contains(id), (try? store.contentPiece(id, number: number)) == octets {
            return handle(.heir(.chunkWritten(id, number: number, isDone: true)))
        }
        store.writeChunk(id, number: number, octets: [octets], lane: inbox) { [inbox] in
            inbox.put(.written(.chunk(id, number: number), $0))
        }
    }

    func chunkWritten(_ id: QueueID, _ number: UInt32, isDone: Bool) {
        if !isDone { doubtfulChunks.insert(id) }
        handle(.heir(.chunkWritten(id, number: number, isDone: isDone)))
    }

    // MARK: Testaments

    /// All receipts of a subject in one write, in place of what was known before.
    private func keep(_ subject: LeavingFrame.Subject, _ number: UInt64, _ receipts: [Receipt]) {
        var changes = [LeavingNotes.testament(subject, number: number)]
        do throws(StoreError) {
            let new = Set(receipts.map(\.id))
            for id in try LeavingNotes.receipts(subject, in: store) where !new.contains(id) {
                changes.append(LeavingNotes.forget(id, subject))
            }
        } catch {
            return handle(.heir(.testamentStored(subject, number: number, isDone: false)))
        }
        changes += receipts.map { LeavingNotes.receipt($0, subject) }
        commit(changes, .testament(subject, number: number))
    }
}
