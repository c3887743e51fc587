package import Delivery
package import MailValues
package import QueueEngine
import QueueStorage
import Synchronization

/// Carries out what both machines of leaving decide (`Leaver`, `Heir`), on the node's store, schedule and links.
///
/// One loop takes what happens in order. It reads messages from the disk on a thread of its own; writes are handed
/// to the store in batches, and their answers come back through the inbox.
package actor LeavingShell {
    /// What it needs of the node.
    package struct Seams: Sendable {
        /// Hands a frame to the bulk link of a member. False: no room now.
        package var send: @Sendable (_ octets: [UInt8], _ to: NodeID) -> Bool
        /// Ready = false, listeners closed, transactions in hand finished; returns when none is left.
        package var stopIntake: @Sendable () async -> Void
        package var resumeIntake: @Sendable () async -> Void
        /// Everything has an owner that acknowledged it durably.
        package var hasLeft: @Sendable () -> Void

        package init(
            send: @escaping @Sendable (_ octets: [UInt8], _ to: NodeID) -> Bool,
            stopIntake: @escaping @Sendable () async -> Void = {},
            resumeIntake: @escaping @Sendable () async -> Void = {},
            hasLeft: @escaping @Sendable () -> Void = {}
        ) {
            self.send = send
            self.stopIntake = stopIntake
            self.resumeIntake = resumeIntake
            self.hasLeft = hasLeft
        }
    }

    /// What the shell does beside its loop, one after another: it waits for something.
    enum Job: Sendable { case stopIntake, resumeIntake, readQueue, lookLast }

    let me: NodeID
    let store: any QueueStore
    let dispatcher: Dispatcher
    let seams: Seams
    let wire: LeavingWire<StoredEnvelopeCoding>
    let limits: LeavingLimits
    private let tick: Duration
    private let began = ContinuousClock.now
    nonisolated let inbox = LeavingInbox()
    private nonisolated let jobs: AsyncStream<Job>
    private nonisolated let jobsIn: AsyncStream<Job>.Continuation
    private nonisolated let executor = LeavingExecutor()
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private nonisolated let published: Mutex<LeavingProgress>

    private var machine: Succession
    private var events: [Succession.Event] = []
    private var actions: [Succession.Action] = []
    private var isHandling = false
    private var unpackers: [NodeID: LeavingUnpacker] = [:]
    private var outbox: LeavingOutbox
    /// What the dispatcher had done when the leaving began.
    private var countersBefore: DeliveryCounters?
    var obstacle: String?
    /// Messages to be taken, gathered for one commit.
    var adoptions: [Heir.Adoption] = []
    var adoptionOctets = 0
    /// Messages whose adoption is on its way to the disk.
    var adopting: Set<QueueID> = []
    /// Refused by the store: what became of them is found out when it is certain. Without content.
    var doubtful: [Heir.Adoption] = []
    /// Chunks of these may lie on the disk although their writing failed.
    var doubtfulChunks: Set<QueueID> = []

    /// Reads what an earlier life left behind: waits for the disk.
    ///
    /// The dispatcher attempts no message that bears a mark, whether or not this was called before it reads the store.
    package init(
        me: NodeID, store: any QueueStore, dispatcher: Dispatcher, seams: Seams,
        limits: LeavingLimits = LeavingLimits(), tick: Duration = .milliseconds(250)
    ) throws(StoreError) {
        self.me = me
        self.store = store
        self.dispatcher = dispatcher
        self.seams = seams
        self.limits = limits
        self.tick = tick
        wire = LeavingWire(limits: limits, envelopes: StoredEnvelopeCoding())
        outbox = LeavingOutbox(limits: limits)
        (jobs, jobsIn) = AsyncStream.makeStream(of: Job.self)
        let found = try LeavingNotes.load(from: store)
        var progress = LeavingProgress()
        if found.hasLeft { progress.phase = .left }
        published = Mutex(progress)
        machine = Succession(me: me, epoch: found.epoch, nonce: .random(in: 1 ... .max), limits: limits)
        // Nothing of this node is attempted, and nothing taken, once it has left.
        guard !found.hasLeft else { return }
        for (subject, receipts) in found.receipts {
            events.append(.heir(.found(subject, number: found.testaments[subject], receipts)))
        }
        for (subject, number) in found.testaments where found.receipts[subject] == nil {
            events.append(.heir(.found(subject, number: number, [])))
        }
        // Who never began to leave has no marks, and need not read the queue for them.
        if found.epoch > 0 { events.append(.leaver(.found(try Self.marks(in: store)))) }
    }

    private static func marks(in store: any QueueStore) throws(StoreError) -> [Leaver.FoundMark] {
        var marks: [Leaver.FoundMark] = []
        try store.scan { envelope in
            if let mark = envelope.offered {
                marks.append(Leaver.FoundMark(Leaver.Message(envelope), mark))
            }
            return true
        }
        return marks
    }

    // MARK: Telling

    /// A frame of the bulk channel. Never waits; too many are dropped.
    package nonisolated func heard(_ octets: [UInt8], from node: NodeID) {
        inbox.put(.frame(octets, from: node))
    }

    package nonisolated func member(_ node: NodeID, is standing: Leaver.Standing) {
        inbox.put(.event(.member(node, standing)))
    }

    /// Whether other nodes may hand their mail over to this one.
    package nonisolated func takesOffers(_ isOpen: Bool) { inbox.put(.open(isOpen)) }

    /// Gives everything away; may be called again after a break.
    package nonisolated func leave() { inbox.put(.event(.leaver(.leave))) }

    /// The operator thought better of it: what nobody took is this node's again.
    package nonisolated func stay() { inbox.put(.event(.leaver(.stay))) }

    /// Ends `run`. What is on its way to the disk is answered nobody any more.
    package nonisolated func stop() {
        inbox.close()
        jobsIn.finish()
    }

    // MARK: Asking

    package nonisolated var progress: LeavingProgress { published.withLock { $0 } }

    // MARK: Running

    /// Takes part until `stop`; at once over where an earlier life had left, of which perhaps nobody has heard.
    package func run() async {
        guard progress.phase != .left else { return seams.hasLeft() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.keepTime() }
            group.addTask(executorPreference: DiskExecutor.shared) { await self.work() }
            work(on: [])
            for await _ in inbox.rings { work(on: inbox.takeAll()) }
            group.cancelAll()
        }
    }

    private nonisolated func keepTime() async {
        while !Task.isCancelled {
            inbox.put(.event(.tick))
            // A node that stays has little to look after: what others give it tells of itself.
            let pause = progress.phase == .staying ? tick * 4 : tick
            try? await Task.sleep(for: pause, tolerance: pause / 4)
        }
    }

    private nonisolated func work() async {
        for await job in jobs {
            guard !Task.isCancelled else { return }
            switch job {
            case .stopIntake:
                await seams.stopIntake()
                inbox.put(.event(.leaver(.intakeStopped)))
            case .resumeIntake: await seams.resumeIntake()
            case .readQueue: await readQueue()
            case .lookLast: await lookLast()
            }
        }
    }

    func begin(_ job: Job) { jobsIn.yield(job) }

    private func work(on inputs: [LeavingInbox.Input]) {
        handleAll()
        for input in inputs { take(input) }
        resolveDoubts()
        adoptGathered()
        outbox.flush(seams.send)
        publish()
    }

    private func take(_ input: LeavingInbox.Input) {
        switch input {
        case .event(let event):
            if case .leaver(.leave) = event, machine.leaver.phase == .staying {
                countersBefore = dispatcher.status.counters
            }
            if case .member(let node, let standing) = event, !standing.isThere {
                outbox.forget(node)
                unpackers[node] = nil
            }
            handle(event)
        case .frame(let octets, let node):
            for body in unpackers[node, default: LeavingUnpacker(limits: limits)].take(octets) ?? [] {
                // What a later version says, or nobody: the machine bears that frames are lost.
                guard let frame = try? wire.decode(body) else { continue }
                handle(.frame(frame, from: node))
            }
        case .open(let isOpen):
            // Who leaves has closed to offers himself.
            if machine.leaver.phase == .staying { handle(.heir(.close(!isOpen))) }
        case .written(let write, let result): written(write, result)
        case .lookedLast(let messages, let obstacle): lookedLast(messages, obstacle)
        }
    }

    private func publish() {
        var progress = LeavingProgress()
        let account = machine.leaver.account
        progress.phase = machine.leaver.phase
        progress.messagesLeft = account.left
        progress.offered = account.offered
        progress.handedOver = account.taken
        progress.heirs = account.heirs
        progress.possibleDuplicates = machine.leaver.counters.possibleDuplicates
        progress.takenOver = machine.heir.takenCount
        progress.obstacle = obstacle
        progress.waitsFor = machine.leaver.obstacle(now: now)
        if let countersBefore {
            let counters = dispatcher.status.counters
            progress.delivered = counters.delivered - countersBefore.delivered
            progress.bounced =
                counters.bounced + counters.expired - countersBefore.bounced - countersBefore.expired
        }
        let news = progress
        published.withLock { $0 = news }
    }

    // MARK: The machine

    var now: Uptime { Uptime(milliseconds: (ContinuousClock.now - began).wholeMilliseconds) }
    var phase: Leaver.Phase { machine.leaver.phase }

    /// One event, and whatever it brings about, in order.
    func handle(_ event: Succession.Event) {
        events.append(event)
        handleAll()
    }

    private func handleAll() {
        guard !isHandling else { return }
        isHandling = true
        defer { isHandling = false }
        var next = 0
        while next < events.count {
            machine.handle(events[next], now: now, &actions)
            next += 1
            let decided = actions
            actions.removeAll(keepingCapacity: true)
            for action in decided { perform(action) }
        }
        events.removeAll(keepingCapacity: true)
    }

    private func perform(_ action: Succession.Action) {
        switch action {
        case .send(let frame, let node):
            outbox.add(wire.encode(filled(frame, for: node)), to: node, seams.send)
        case .leaver(let action): perform(action)
        case .heir(let action): perform(action)
        }
    }

    /// Gives changes to the store; the answer comes back as an input.
    func commit(_ changes: [QueueChange], _ write: LeavingWrite) {
        store.commit(changes, lane: inbox) { [inbox] in inbox.put(.written(write, $0)) }
    }

    private func written(_ write: LeavingWrite, _ result: Result<Void, StoreError>) {
        let isDone = if case .success = result { true } else { false }
        switch write {
        case .epoch: handle(.leaver(isDone ? .epochWritten : .writeFailed))
        case .left: handle(.leaver(isDone ? .leftWritten : .writeFailed))
        case .mark(let marking): marked(marking, isDone: isDone)
        case .unmark(let ids, let envelopes): unmarked(ids, envelopes, isDone: isDone)
        case .remove(let ids): handle(.leaver(isDone ? .unmarked(ids) : .unmarkFailed(ids)))
        case .adoptions(let adoptions): adopted(adoptions, isDone: isDone)
        case .chunk(let id, let number): chunkWritten(id, number, isDone: isDone)
        case .testament(let subject, let number):
            handle(.heir(.testamentStored(subject, number: number, isDone: isDone)))
        case .forgotten: break
        }
    }
}

extension Leaver.Message {
    /// Due when the first of its recipients is.
    init(_ envelope: Envelope) {
        let waiting = envelope.recipients.lazy.map(\.progress).filter { $0.state == .waiting }
        self.init(
            envelope.id,
            due: waiting.map { $0.nextAttempt ?? envelope.acceptedAt }.min() ?? envelope.acceptedAt,
            octets: envelope.sizeOctets)
    }
}
