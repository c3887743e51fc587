import MailValues
import QueueEngine

/// One node of a `LeavingWorld`: the machine, and a shell around it as thin as the real one should be.
final class SimulatedNode {
    struct Disk {
        var messages: [QueueID: Envelope] = [:]
        var content: [QueueID: [UInt32: [UInt8]]] = [:]
        var receipts: [LeavingFrame.Subject: [QueueID: UInt64]] = [:]
        var testaments: [LeavingFrame.Subject: UInt64] = [:]
        var epoch: UInt64 = 0
        var hasLeft = false
    }

    let id: NodeID
    unowned let world: LeavingWorld
    var disk = Disk()
    var isUp = false
    var life = 0
    var isFull = false
    var wantsToLeave = false
    var hasLeft: Bool { disk.hasLeft }
    /// Writes of this life that are not done.
    var underWay: [() -> Void] = []
    private(set) var machine: Succession
    private var scheduled: Set<QueueID> = []
    private var inFlight: Set<QueueID> = []
    private(set) var didExit = false

    init(_ id: NodeID, in world: LeavingWorld) {
        self.id = id
        self.world = world
        machine = Succession(me: id, epoch: 0, nonce: 0)
    }

    static let limits: LeavingLimits = {
        var limits = LeavingLimits()
        limits.windowMessages = 16
        limits.windowOctets = 2_000
        limits.markBatch = 4
        limits.rangesPerProbe = 4
        limits.listedReceipts = 2
        limits.rangeFanOut = 3
        limits.testamentReceipts = 5
        limits.fetches = 2
        limits.answersPerFrame = 3
        return limits
    }()

    // MARK: Life and death

    func start() {
        guard !hasLeft else { return }
        life += 1
        isUp = true
        underWay = []
        scheduled = Set(disk.messages.values.filter { $0.offered == nil }.map(\.id))
        // Chunks without an envelope are swept.
        disk.content = disk.content.filter { disk.messages[$0.key] != nil }
        machine = Succession(
            me: id, epoch: disk.epoch, nonce: world.random.next(), limits: Self.limits)
        for (subject, receipts) in disk.receipts {
            handle(
                .heir(
                    .found(
                        subject, number: disk.testaments[subject],
                        receipts.map { Receipt($0, epoch: $1) })))
        }
        for (subject, number) in disk.testaments where disk.receipts[subject] == nil {
            handle(.heir(.found(subject, number: number, [])))
        }
        let marks = disk.messages.values.compactMap { envelope in
            envelope.offered.map { Leaver.FoundMark(message(envelope), $0) }
        }
        handle(.leaver(.found(marks)))
        for other in world.nodes.values where other !== self {
            // Whose last write was done and said to have failed goes on: it has not left yet, and nobody says so.
            tell(other, other.isUp ? .alive : other.hasLeft ? .left : .silent)
            let hears = other.life
            world.after(500) { [self] in if other.life == hears, isUp { other.tell(self, .alive) } }
        }
        tick(life)
        work(life)
        if wantsToLeave { handle(.leaver(.leave)) }
    }

    func stop() {
        guard isUp else { return }
        isUp = false
        for change in underWay where world.random.chance(0.5) { change() }
        underWay = []
        inFlight = []
        scheduled = []
        world.checkAll()
        for other in world.nodes.values where other !== self {
            world.after(1_000) { [self] in if !isUp, !hasLeft { other.tell(self, .silent) } }
        }
    }

    func leave() {
        wantsToLeave = true
        if isUp { handle(.leaver(.leave)) }
    }

    func stay() {
        wantsToLeave = false
        if isUp { handle(.leaver(.stay)) }
    }

    func tell(_ other: SimulatedNode, _ standing: Leaver.Standing) {
        if isUp { handle(.member(other.id, standing)) }
    }

    func receive(_ frame: LeavingFrame, from sender: NodeID) {
        if isUp { handle(.frame(frame, from: sender)) }
    }

    private func tick(_ life: Int) {
        guard isUp, self.life == life else { return }
        handle(.tick)
        world.after(250) { [unowned self] in tick(life) }
    }

    // MARK: Mail

    func accept(_ id: QueueID, content: [[UInt8]], due: Timestamp) {
        var envelope = Envelope(
            id: id, acceptedAt: id.time, reversePath: .null,
            recipients: [Recipient(mailbox: Mailbox(localPart: "a", domain: Domain("b.example")))],
            sizeOctets: content.reduce(0) { $0 + $1.count }, origin: Envelope.Origin(listener: "mx"))
        envelope.recipients[0].progress.nextAttempt = due
        if content.count > 1 { envelope.chunkCount = UInt32(content.count) }
        disk.messages[id] = envelope
        for (number, piece) in content.enumerated() { disk.content[id, default: [:]][UInt32(number)] = piece }
        scheduled.insert(id)
        world.accepted[id] = content
        handle(.leaver(.arrived(message(envelope))))
    }

    /// Attempts something now and then. What is in flight when the process dies was not delivered: the real window
    /// of that is elsewhere, and here nothing may be delivered twice.
    private func work(_ life: Int) {
        guard isUp, self.life == life else { return }
        if world.random.chance(0.3), let id = scheduled.filter({ !inFlight.contains($0) }).min() {
            inFlight.insert(id)
            world.after(Int64.random(in: 10...3_000, using: &world.random)) { [self] in
                guard isUp, self.life == life, inFlight.remove(id) != nil else { return }
                guard world.random.chance(0.5) else { return }
                if let by = world.delivered[id] { world.fail("\(id) was delivered by \(by) and \(self.id)") }
                scheduled.remove(id)
                disk.messages[id] = nil
                disk.content[id] = nil
                world.delivered[id] = self.id
                world.check(id)
            }
        }
        world.after(Int64.random(in: 100...4_000, using: &world.random)) { [unowned self] in work(life) }
    }

    func mayAttempt(_ id: QueueID) -> Bool {
        guard !hasLeft else { return false }
        return (isUp && scheduled.contains(id)) || disk.messages[id].map { $0.offered == nil } == true
    }

    private func message(_ envelope: Envelope) -> Leaver.Message {
        Leaver.Message(
            envelope.id, due: envelope.recipients[0].progress.nextAttempt ?? envelope.acceptedAt,
            octets: envelope.sizeOctets)
    }

    // MARK: What the machine wants

    func handle(_ event: Succession.Event) {
        guard isUp, !didExit else { return }
        var actions: [Succession.Action] = []
        machine.handle(event, now: world.now, &actions)
        for action in actions {
            switch action {
            case .send(let frame, let node): world.carry(filled(frame), from: id, to: node)
            case .leaver(let action): perform(action)
            case .heir(let action): perform(action)
            }
        }
    }

    private func filled(_ frame: LeavingFrame) -> LeavingFrame {
        switch frame {
        case .offer(var offer):
            guard let envelope = disk.messages[offer.id] else {
                world.fail("\(offer.id) is offered and not there")
                return frame
            }
            if envelope.offered == nil { world.fail("\(offer.id) is offered without a mark") }
            offer.envelope = envelope
            if envelope.chunkCount == 0 { offer.content = [disk.content[offer.id]?[0] ?? []] }
            return .offer(offer)
        case .piece(var piece):
            piece.octets = disk.content[piece.id]?[piece.number] ?? []
            return .piece(piece)
        default: return frame
        }
    }

    private func perform(_ action: Leaver.Action) {
        switch action {
        case .stopIntake:
            let life = life
            world.after(100) { [self] in if self.life == life { handle(.leaver(.intakeStopped)) } }
        case .readQueue:
            let all = disk.messages.values.filter { scheduled.contains($0.id) }.map(message)
            handle(.leaver(.queue(all)))
            handle(.leaver(.queueRead))
        case .writeEpoch(let epoch):
            write(
                { self.disk.epoch = max(self.disk.epoch, epoch) },
                then: { [self] in
                    handle(.leaver($0 ? .epochWritten : .writeFailed))
                })
        case .mark(let ids, let mark, let isAgain): self.mark(ids, mark, isAgain: isAgain)
        case .unmark(let ids):
            write(
                {
                    for id in ids {
                        self.disk.messages[id]?.offered = nil
                        self.world.check(id)
                    }
                },
                then: { [self] isDone in
                    if isDone { scheduled.formUnion(ids.filter { disk.messages[$0] != nil }) }
                    handle(.leaver(isDone ? .unmarked(ids) : .unmarkFailed(ids)))
                })
        case .remove(let ids):
            write(
                {
                    for id in ids {
                        self.disk.messages[id] = nil
                        self.disk.content[id] = nil
                        self.world.check(id)
                    }
                }, then: { [self] in handle(.leaver($0 ? .unmarked(ids) : .unmarkFailed(ids))) })
        case .writeLeft:
            write(
                {
                    self.disk.hasLeft = true
                    self.world.checkAll()
                }, then: { [self] in handle(.leaver($0 ? .leftWritten : .writeFailed)) })
        case .left: exit()
        case .resumeIntake, .closeToOffers, .send: break
        }
    }

    private func exit() {
        didExit = true
        isUp = false
        world.checkAll()
        for other in world.nodes.values where other !== self {
            world.after(50) { [self] in other.tell(self, .left) }
        }
    }

    private func mark(_ ids: [QueueID], _ mark: Envelope.Handover, isAgain: Bool) {
        let busy = isAgain ? [] : ids.filter { inFlight.contains($0) }
        let gone = isAgain ? [] : ids.filter { !scheduled.contains($0) }
        let fit = ids.filter { !busy.contains($0) && !gone.contains($0) }
        scheduled.subtract(fit)
        write(
            {
                for id in fit {
                    self.disk.messages[id]?.offered = mark
                    self.world.check(id)
                }
            },
            then: { [self] isDone in
                if isDone {
                    handle(.leaver(.marked(mark.node, fit, busy: busy, gone: gone)))
                } else {
                    if !isAgain { scheduled.formUnion(fit) }
                    handle(.leaver(.markFailed(mark.node, ids)))
                }
            })
    }

    private func perform(_ action: Heir.Action) {
        switch action {
        case .adopt(let adoption): adopt(adoption)
        case .writeChunk(let id, let number, let octets):
            guard disk.messages[id] == nil else {
                return handle(.heir(.chunkWritten(id, number: number, isDone: false)))
            }
            if disk.content[id]?[number] != nil { world.fail("chunk \(number) of \(id) is written twice") }
            write(
                { self.disk.content[id, default: [:]][number] = octets },
                then: { [self] isDone in
                    if !isDone { disk.content[id]?[number] = nil }
                    handle(.heir(.chunkWritten(id, number: number, isDone: isDone)))
                })
        case .forget(let subject, let ids):
            write({ for id in ids { self.disk.receipts[subject]?[id] = nil } }, then: { _ in })
        case .keepTestament(let subject, let number, let receipts):
            write(
                {
                    self.disk.testaments[subject] = number
                    self.disk.receipts[subject] = Dictionary(
                        uniqueKeysWithValues: receipts.map { ($0.id, $0.epoch) })
                }, then: { [self] in handle(.heir(.testamentStored(subject, number: number, isDone: $0))) })
        case .send: break
        }
    }

    private func adopt(_ adoption: Heir.Adoption) {
        let message = adoption.receipt.id
        let answer = { [self] (outcome: OfferAnswer.Outcome) in
            handle(
                .heir(
                    .adopted(
                        adoption.leaver, adoption.session, [OfferAnswer(adoption.count, outcome)])))
        }
        guard disk.messages[message] == nil else { return answer(.busy) }
        guard !isFull else { return answer(.full) }
        write(
            { self.keep(adoption) },
            then: { [self] _ in
                // What became of it is certain only now.
                let subject = LeavingFrame.Subject(leaver: adoption.leaver, heir: id)
                guard disk.receipts[subject]?[message] == adoption.receipt.epoch else { return answer(.full) }
                scheduled.insert(message)
                if let envelope = disk.messages[message] { handle(.leaver(.arrived(self.message(envelope)))) }
                answer(.taken)
            })
    }

    private func keep(_ adoption: Heir.Adoption) {
        let message = adoption.receipt.id
        disk.messages[message] = adoption.envelope
        if adoption.envelope.chunkCount == 0 { disk.content[message] = [0: adoption.content.flatMap { $0 }] }
        let subject = LeavingFrame.Subject(leaver: adoption.leaver, heir: id)
        disk.receipts[subject, default: [:]][message] = adoption.receipt.epoch
        let whole = (0..<UInt32(world.accepted[message]?.count ?? 0)).map { disk.content[message]?[$0] ?? [] }
        if whole != world.accepted[message] { world.fail("\(message) came with other octets") }
        world.check(message)
    }

    private func write(_ change: @escaping () -> Void, then answer: @escaping (Bool) -> Void) {
        world.write(self, change, answer)
    }
}
