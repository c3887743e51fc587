package import MailValues

/// A leaving node's side: gives every queued message to another node, and ends only when all have an owner.
///
/// A message is at every instant in one place: it waits, its mark is on the way to the disk, or it bears the mark of one
/// heir. † Only what the heir says, or the heir's heir, or the operator's word that the heir is dead, ends a mark;
/// silence never does (`cluster/models/`). What was taken keeps its mark and its octets here until
/// all is confirmed: while the leaving lasts, each message lies on two disks.
///
/// The same machine settles the marks that an earlier life left behind where nobody wants to leave any more.
package struct Leaver: Sendable {
    package enum Phase: Sendable, Equatable {
        /// Nobody leaves; marks of an earlier leaving are settled.
        case staying
        case stoppingIntake
        case giving
        /// Everything is taken, as far as was heard: the heirs are asked once more, all ids together.
        case confirming
        /// Receipts that this node gave as an heir go to who answers for them from now on.
        case bequeathing
        /// All is done; it is being written.
        case signing
        case left
    }

    let me: NodeID
    let limits: LeavingLimits
    package internal(set) var phase: Phase = .staying
    /// Durable. Raised at the first need in each life and with each leaving: no session and no mark of an earlier one is mistaken
    /// for one of now.
    var epoch: UInt64
    var epochState = EpochState.old
    enum EpochState: Sendable { case old, writing, written }

    var heirs: [NodeID: HeirTerms] = [:]
    var queue = LeavingQueue()
    var isQueueRead = false
    /// Ids whose mark is on its way to the disk, and their octets.
    var marking: [QueueID: Int] = [:]
    /// Of those, what bore no mark before.
    var held: [QueueID: Message] = [:]
    var marksUnderWay = 0
    /// Surely not taken, and nobody knows whose mark they bear on the disk.
    var unsure: Set<QueueID> = []
    /// Ends of marks on their way to the disk.
    var unmarking: Set<QueueID> = []
    /// Of those, what the store did not do.
    var unended: [QueueID] = []
    var unremoved: [QueueID] = []
    var bequest = Bequest()
    package internal(set) var counters = LeavingCounters()

    /// - Parameter epoch: as the store has it; 0 if it has none.
    package init(me: NodeID, epoch: UInt64, limits: LeavingLimits = LeavingLimits()) {
        self.me = me
        self.epoch = epoch
        self.limits = limits
    }

    /// A message of this node's queue.
    package struct Message: Sendable, Equatable {
        package var id: QueueID
        /// When it would be attempted next.
        package var due: Timestamp
        package var octets: Int
        package init(_ id: QueueID, due: Timestamp, octets: Int) {
            self.id = id
            self.due = due
            self.octets = octets
        }
    }

    /// A mark as a start finds it.
    package struct FoundMark: Sendable, Equatable {
        package var message: Message
        package var mark: Envelope.Handover
        package init(_ message: Message, _ mark: Envelope.Handover) {
            self.message = message
            self.mark = mark
        }
    }

    package enum Event: Sendable, Equatable {
        /// Marks that the store holds; before anything else.
        case found([FoundMark])
        case leave
        /// Thought better of it.
        case stay
        /// No transaction is under way, and none begins.
        case intakeStopped
        /// What the queue holds and bears no mark, in portions.
        case queue([Message])
        case queueRead
        /// A message came into the queue: a report, or what an heir's duty brought before it was closed.
        case arrived(Message)
        case epochWritten
        /// The marks are on the disk. `busy` ones were left alone because an attempt is in hand; others not named are gone.
        case marked(NodeID, [QueueID], busy: [QueueID], gone: [QueueID])
        /// The marks may or may not be on the disk.
        case markFailed(NodeID, [QueueID])
        /// The marks are gone: the messages are this node's again, or their records are removed.
        case unmarked([QueueID])
        case unmarkFailed([QueueID])
        case member(NodeID, Standing)
        case frame(LeavingFrame, from: NodeID)
        /// What this node has receipted as an heir, now that it takes no more; asked for while `needsReceipts`.
        case receipts([LeavingFrame.Subject: Bequest.Book])
        case leftWritten
        /// A write of the epoch, or of the end, failed.
        case writeFailed
        case tick
    }

    package enum Standing: Sendable, Equatable {
        case alive
        /// There, and drained: it answers for what it has, and is given more only where nobody else takes any.
        case drained
        /// Dead or cut off, as far as is known: it may come back.
        case silent
        /// It has left in order.
        case left
        /// The operator's word that it is dead for good.
        case evicted

        package var isThere: Bool { self == .alive || self == .drained }
    }

    package enum Action: Sendable, Equatable {
        /// Ready = false, then no new transaction; `intakeStopped` when the last one is over.
        case stopIntake
        case resumeIntake
        /// Take offers of others no more, or again.
        case closeToOffers(Bool)
        case readQueue
        case writeEpoch(UInt64)
        /// Marks, durably, whatever is not being attempted; from then on nobody attempts it. `isAgain`: these bear the mark of another heir.
        case mark([QueueID], Envelope.Handover, isAgain: Bool)
        /// Ends marks: the messages are attempted here again.
        case unmark([QueueID])
        /// Another node has them: the records go.
        case remove([QueueID])
        case send(LeavingFrame, to: NodeID)
        case writeLeft
        /// Every message has an owner that acknowledged it durably.
        case left
    }

    package var needsReceipts: Bool { phase == .bequeathing && !bequest.isTold }

    /// One step.
    package mutating func handle(_ event: Event, now: Uptime, _ actions: inout [Action]) {
        switch (event, phase) {
        case (_, .left): return
        case (.found(let marks), _): find(marks)
        case (.leave, .staying): begin(&actions)
        case (.leave, _): break
        case (.stay, _): stay(&actions)
        case (.intakeStopped, .stoppingIntake):
            phase = .giving
            actions.append(.readQueue)
        case (.intakeStopped, _): break
        case (.queue(let messages), .giving): for message in messages { add(message) }
        case (.queueRead, .giving): isQueueRead = true
        case (.queue, _), (.queueRead, _): break
        case (.arrived(let message), .giving), (.arrived(let message), .confirming),
            (.arrived(let message), .bequeathing):
            add(message)
            phase = .giving
        case (.arrived, _): break
        case (.epochWritten, _): epochState = .written
        case (.marked(let heir, let ids, let busy, let gone), _):
            marked(heir, ids, busy: busy, gone: gone, now: now)
        case (.markFailed(let heir, let ids), _): markFailed(heir, ids, now: now)
        case (.unmarked(let ids), _): unmarked(ids)
        case (.unmarkFailed(let ids), _): unmarkFailed(ids)
        case (.member(let node, let standing), _): member(node, is: standing)
        case (.frame(let frame, let node), _): receive(frame, from: node, now: now, &actions)
        case (.receipts(let books), .bequeathing): bequest = Bequest(books)
        case (.receipts, _): break
        case (.leftWritten, .signing):
            phase = .left
            actions.append(.left)
            return
        case (.leftWritten, _): break
        case (.writeFailed, .signing): phase = .confirming
        case (.writeFailed, _): if epochState == .writing { epochState = .old }
        case (.tick, _):
            queue.wake(now: now)
            retryEnds(&actions)
        }
        goOn(now: now, &actions)
    }

    private mutating func begin(_ actions: inout [Action]) {
        phase = .stoppingIntake
        // What the last leaving marked is older than what this one will.
        epochState = .old
        isQueueRead = false
        queue = LeavingQueue()
        actions += [.closeToOffers(true), .stopIntake]
    }

    private mutating func stay(_ actions: inout [Action]) {
        guard phase != .staying else { return }
        phase = .staying
        queue = LeavingQueue()
        bequest = Bequest()
        actions += [.closeToOffers(false), .resumeIntake]
    }

    private mutating func add(_ message: Message) {
        guard !isKnown(message.id) else { return }
        queue.add(message)
    }

    private func isKnown(_ id: QueueID) -> Bool {
        marking[id] != nil || unmarking.contains(id) || heirs.values.contains { $0.marks[id] != nil }
    }

    private mutating func find(_ marks: [FoundMark]) {
        for found in marks where !isKnown(found.message.id) {
            heirs[found.mark.node, default: HeirTerms()].add(
                found.message, epoch: found.mark.epoch, standing: .unknown)
            epoch = max(epoch, found.mark.epoch)
        }
    }

    private mutating func member(_ node: NodeID, is standing: Standing) {
        guard node != me else { return }
        heirs[node, default: HeirTerms()].standing = standing
        switch standing {
        case .alive, .drained: break
        case .silent: heirs[node]?.breakOff()
        case .left: heirs[node]?.breakOff()
        case .evicted:
            // It is dead, on the operator's word: what it had is here still. It may have delivered some of it.
            heirs[node]?.breakOff()
            counters.possibleDuplicates += heirs[node]?.disown() ?? 0
        }
        // Whoever answered in the place of another.
        if !standing.isThere {
            for heir in heirs.keys where heirs[heir]?.link.peer == node { heirs[heir]?.breakOff() }
        }
    }
}

/// What an operator wants to know of a leaving.
package struct LeavingCounters: Sendable, Equatable {
    /// Offers that heirs took.
    package var taken = 0
    package var refused = 0
    /// Sessions begun anew because of silence.
    package var sessionsRenewed = 0
    /// Messages of heirs that an operator declared dead, which may have delivered them.
    package var possibleDuplicates = 0
    package init() {}
}
