import MailValues

extension Leaver {
    // MARK: What heirs say

    mutating func receive(
        _ frame: LeavingFrame, from node: NodeID, now: Uptime, _ actions: inout [Action]
    ) {
        switch frame {
        case .opened(let subject, let session, let nonce, let isTaking, let knows):
            guard subject.leaver == me else { return }
            opened(
                subject.heir, by: node, session, nonce: nonce, isTaking: isTaking, knows: knows, now: now)
        case .found(let subject, let session, let nonce, let number, let answers):
            guard subject.leaver == me else { return }
            found(subject.heir, session, nonce: nonce, number: number, answers, now: now)
        case .answers(let session, let nonce, let answers):
            answered(node, session, nonce: nonce, answers, now: now)
        case .fetch(let session, let nonce, let count, let piece):
            fetch(node, session, nonce: nonce, count: count, piece: piece, now: now, &actions)
        case .ended(let session, let nonce): ended(node, session, nonce: nonce)
        case .testamentKept(let subject, let number, let part):
            bequest.kept(subject, by: node, number: number, part: part, own: epoch, limits: limits)
        case .open, .probe, .offer, .piece, .testament: break
        }
    }

    private mutating func opened(
        _ heir: NodeID, by node: NodeID, _ session: LeavingSession, nonce: UInt64, isTaking: Bool,
        knows: Bool, now: Uptime
    ) {
        guard case .opening(session, node, _) = heirs[heir]?.link, let terms = heirs[heir] else { return }
        // Another may know: it is asked when patience ends.
        guard knows else { return }
        heirs[heir]?.isTaking = isTaking && node == heir
        let isSure = terms.takenCount + terms.unknownCount == 0
        if isSure {
            heirs[heir]?.isConfirmed = terms.marks.isEmpty
            heirs[heir]?.link = .open(
                HeirTerms.Link.Open(session: session, peer: node, nonce: nonce, heard: now))
        } else {
            heirs[heir]?.link = .comparing(
                session, peer: node, nonce: nonce, ReceiptComparison(terms.receipts), asked: .longAgo)
        }
    }

    private mutating func found(
        _ heir: NodeID, _ session: LeavingSession, nonce: UInt64, number: UInt32, _ answers: [RangeAnswer],
        now: Uptime
    ) {
        guard
            case .comparing(session, let peer, nonce, var comparison, _) = heirs[heir]?.link,
            comparison.take(answers, to: number, limits: limits)
        else { return }
        guard comparison.isOver else {
            heirs[heir]?.link = .comparing(session, peer: peer, nonce: nonce, comparison, asked: .longAgo)
            return
        }
        let missing = Set(comparison.missing.map(\.id))
        for (id, mark) in heirs[heir]?.marks ?? [:] {
            switch mark.standing {
            case .unknown, .taken, .offered, .free:
                heirs[heir]?.set(id, missing.contains(id) ? .free : .taken)
            case .moving, .ending: break
            }
        }
        heirs[heir]?.isConfirmed = missing.isEmpty
        heirs[heir]?.link = .open(
            HeirTerms.Link.Open(session: session, peer: peer, nonce: nonce, heard: now))
    }

    /// The heir began another life: what was under way may have been taken before that.
    private mutating func ended(_ node: NodeID, _ session: LeavingSession, nonce: UInt64) {
        for heir in heirs.keys {
            switch heirs[heir]?.link {
            case .comparing(session, node, nonce, _, _): heirs[heir]?.breakOff()
            case .open(let open) where open.session == session && open.peer == node && open.nonce == nonce:
                heirs[heir]?.breakOff()
            case .closed, .opening, .comparing, .open, nil: break
            }
        }
    }

    private mutating func answered(
        _ heir: NodeID, _ session: LeavingSession, nonce: UInt64, _ answers: [OfferAnswer], now: Uptime
    ) {
        guard case .open(var open) = heirs[heir]?.link, open.session == session, open.nonce == nonce
        else { return }
        open.heard = now
        for answer in answers {
            guard let id = heirs[heir]?.outstanding[answer.count] else { continue }
            switch answer.outcome {
            case .taken:
                heirs[heir]?.set(id, .taken)
                counters.taken += 1
                continue
            case .missed: heirs[heir]?.free(id)
            case .full:
                heirs[heir]?.free(id)
                open.restsUntil = now + limits.restWhenFull
            case .closed:
                heirs[heir]?.free(id)
                heirs[heir]?.isTaking = false
            case .busy: heirs[heir]?.rest(id, until: now + limits.restWhenBusy)
            case .damaged: heirs[heir]?.rest(id, until: now + limits.restWhenFull)
            }
            counters.refused += 1
        }
        heirs[heir]?.link = .open(open)
    }

    private mutating func fetch(
        _ heir: NodeID, _ session: LeavingSession, nonce: UInt64, count: UInt64, piece: UInt32, now: Uptime,
        _ actions: inout [Action]
    ) {
        guard case .open(var open) = heirs[heir]?.link, open.session == session, open.nonce == nonce,
            let id = heirs[heir]?.outstanding[count]
        else { return }
        open.heard = now
        heirs[heir]?.link = .open(open)
        actions.append(
            .send(
                .piece(
                    LeavingFrame.Piece(session: session, nonce: nonce, count: count, id: id, number: piece)),
                to: heir))
    }

    // MARK: What is asked of heirs

    /// Begins the sessions that are wanted, and asks again what was not answered.
    mutating func keepSessions(now: Uptime, _ actions: inout [Action]) {
        guard epochState == .written else { return }
        for heir in heirs.keys.sorted() {
            guard let terms = heirs[heir] else { continue }
            switch terms.link {
            case .closed:
                guard wantsSession(terms), let peer = peer(for: heir, after: nil) else { continue }
                open(heir, peer: peer, now: now, &actions)
            case .opening(let session, let peer, let asked):
                guard now - asked >= limits.patience else { continue }
                let next = self.peer(for: heir, after: peer) ?? peer
                if next == peer {
                    askToOpen(heir, session, peer: peer, now: now, &actions)
                } else {
                    open(heir, peer: next, now: now, &actions)
                }
            case .comparing(let session, let peer, let nonce, var comparison, let asked):
                guard now - asked >= limits.patience else { continue }
                let ranges = comparison.question(limits: limits)
                heirs[heir]?.link = .comparing(session, peer: peer, nonce: nonce, comparison, asked: now)
                actions.append(
                    .send(
                        .probe(
                            subject(heir), session, nonce: nonce, number: comparison.number, ranges),
                        to: peer))
            case .open(let open):
                guard isOver(open, terms, now: now), let peer = peer(for: heir, after: nil) else { continue }
                if !terms.outstanding.isEmpty { counters.sessionsRenewed += 1 }
                heirs[heir]?.breakOff()
                self.open(heir, peer: peer, now: now, &actions)
            }
        }
    }

    private func subject(_ heir: NodeID) -> LeavingFrame.Subject {
        LeavingFrame.Subject(leaver: me, heir: heir)
    }

    private func wantsSession(_ terms: HeirTerms) -> Bool {
        switch phase {
        case .staying, .stoppingIntake: !terms.marks.isEmpty
        case .giving: terms.standing.isThere || terms.unknownCount > 0
        case .confirming: !terms.marks.isEmpty && !terms.isConfirmed
        case .bequeathing, .signing, .left: false
        }
    }

    /// Whether a session has served: answers are owed for too long, or all marks are to be compared at the end, or the
    /// heir took nothing more and may have changed its mind.
    private func isOver(_ open: HeirTerms.Link.Open, _ terms: HeirTerms, now: Uptime) -> Bool {
        guard terms.outstanding.isEmpty else { return now - open.heard >= limits.patienceForAnswers }
        switch phase {
        case .confirming: return !terms.marks.isEmpty && !terms.isConfirmed
        case .giving: return !terms.isTaking && now - open.heard >= limits.patienceForAnswers
        case .staying, .stoppingIntake, .bequeathing, .signing, .left: return false
        }
    }

    /// Who speaks for an heir: itself; of one that left, whoever of the living it left its receipts to. They are asked in turn.
    ///
    /// † Only of one that left: one that is silent may take a message at any moment (`cluster/models/heirs-heir.pml`,
    /// twin ASKED_TOO_SOON).
    private func peer(for heir: NodeID, after last: NodeID?) -> NodeID? {
        switch heirs[heir]?.standing {
        case .alive, .drained: return heir
        case .left:
            // Its heir may be this node itself.
            return next(of: living + [me], after: last)
        case .silent, .evicted, nil: return nil
        }
    }

    var living: [NodeID] { heirs.keys.filter { heirs[$0]?.standing.isThere == true } }

    /// Who may be given more: of the drained none, while another is there.
    func isTaker(_ standing: Standing) -> Bool {
        standing == .alive || (standing == .drained && !heirs.values.contains { $0.standing == .alive })
    }

    /// Each in turn.
    func next(of nodes: [NodeID], after last: NodeID?) -> NodeID? {
        let nodes = nodes.sorted()
        guard let last else { return nodes.first }
        return nodes.first { $0 > last } ?? nodes.first
    }

    private mutating func open(_ heir: NodeID, peer: NodeID, now: Uptime, _ actions: inout [Action]) {
        guard let round = heirs[heir]?.round else { return }
        heirs[heir]?.round = round + 1
        askToOpen(heir, LeavingSession(epoch: epoch, round: round + 1), peer: peer, now: now, &actions)
    }

    private mutating func askToOpen(
        _ heir: NodeID, _ session: LeavingSession, peer: NodeID, now: Uptime, _ actions: inout [Action]
    ) {
        heirs[heir]?.link = .opening(session, peer: peer, asked: now)
        // Marks to come are of this epoch: what is older than all of them is settled.
        let oldest = min(heirs[heir]?.oldestEpoch ?? epoch, epoch)
        actions.append(.send(.open(subject(heir), session, settled: oldest - 1), to: peer))
    }
}

extension Uptime {
    /// Before anything: what was asked then is asked now.
    static let longAgo = Uptime(milliseconds: .min / 2)
}
