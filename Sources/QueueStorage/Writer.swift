import MailValues
import QueueEngine
import Threads

/// The one thread that writes: takes all that waits, writes and syncs it as one batch, then answers.
///
/// While a batch is being synced the next one gathers by itself: the slower the disk, the larger the batch.
final class Writer: @unchecked Sendable {
    // Everything below belongs to the writer's thread, but for `inbox`, `database`, `room` and `health`,
    // which lock for themselves.
    private let inbox: Inbox
    private let database: OpenDatabase
    private let room: Room
    private let health: StoreHealth
    private let options: StoreOptions
    private let witness: Witness
    private var log: LogWatch
    /// Something was written without a sync since the last look at the log.
    private var hasWrittenUnsynced = false
    private let epoch: UInt64
    private let reopen: @Sendable () throws(DatabaseError) -> Database
    private let batch = Batch()
    private var waiting = Inbox.Waiting()
    /// Places in `waiting.commits` of the batch in hand, as they are written.
    private var order: [Int] = []
    private var arrivals: [(id: QueueID, index: Int)] = []
    private var backlog = ChunkBacklog()
    private var completions = Completions()
    private var progressed: ProgressedMessages
    private var octetsSinceLook = 0
    private var pause: Duration = .zero
    private var lastBatchCommits = 0
    private var pace: ChunkPace
    /// The batch in hand accepts a message that fits one value.
    private var hasSmall = false

    init(
        inbox: Inbox, database: OpenDatabase, room: Room, health: StoreHealth, options: StoreOptions,
        witness: Witness, directory: StoreDirectory, epoch: UInt64,
        openedAt: Timestamp, reopen: @escaping @Sendable () throws(DatabaseError) -> Database
    ) {
        self.inbox = inbox
        self.database = database
        self.room = room
        self.health = health
        self.options = options
        pace = ChunkPace(rate: options.chunkRateBesideSmall)
        self.witness = witness
        log = LogWatch(directory)
        self.epoch = epoch
        self.reopen = reopen
        progressed = ProgressedMessages(openedAt: openedAt)
    }

    /// Until the inbox is closed and empty.
    func run() {
        Database.countNoComparisons()
        while true {
            gather()
            // With chunks in hand more of them are no reason to hurry.
            inbox.take(into: &waiting, patience: patience, forCommits: health.isWell && !backlog.isEmpty)
            if waiting.isEmpty && waiting.isClosing { break }
            backlog.add(waiting.chunks)
            if let database = database.ofWriter, health.isWell {
                writeCommits(database)
                writeChunks(database)
                writeDrops(database)
            } else {
                refuseAll()
                mend()
            }
            clearWaiting()
        }
        backlog.refuse(.sick(detail: "the store is closing"), into: &completions)
        completions.deliver()
    }

    /// Lets a crowd come together before its sync: many sessions share one sync and one wake-up, and each
    /// waits little longer. Where few wait, nobody is kept.
    private func gather() {
        let isCrowded = lastBatchCommits >= options.gatheringCommits && patience == nil
        lastBatchCommits = 0
        guard isCrowded, !inbox.holds(atLeast: options.gatheringCommits * 4) else { return }
        WorkerThread.nap(options.gathering)
    }

    /// How long to wait for more: for ever, unless something is left to do.
    private var patience: Duration? {
        if !health.isWell { return pause }
        if backlog.isEmpty { return nil }
        if backlog.isStalled { return .milliseconds(5) }
        return pace.wait(at: .now)
    }

    private func clearWaiting() {
        waiting.commits.removeAll(keepingCapacity: true)
        waiting.chunks.removeAll(keepingCapacity: true)
        waiting.drops.removeAll(keepingCapacity: true)
    }

    // MARK: Commits

    private func writeCommits(_ database: Database) {
        var next = 0
        while next < waiting.commits.count {
            batch.removeAll()
            next = arrange(from: next)
            var accepted = 0
            for index in order { accepted += fill(from: index, database) }
            finish(order, accepted: accepted, database)
            if !health.isWell {
                refuse(next..<waiting.commits.count)
                return
            }
        }
    }

    /// Puts the commits of the next batch in order: new mail first and by id, then all else as it came. Returns
    /// where the batch after it begins.
    ///
    /// RocksDB's memory is a sorted list that remembers where it wrote last: whoever goes on just behind that
    /// place is spared the search, and new ids are the largest. What follows on a message stays behind it.
    private func arrange(from first: Int) -> Int {
        arrivals.removeAll(keepingCapacity: true)
        order.removeAll(keepingCapacity: true)
        var octets = 0
        var next = first
        while next < waiting.commits.count, octets < options.batchOctets {
            let changes = waiting.commits[next].changes
            if let id = Self.arrival(changes) { arrivals.append((id, next)) } else { order.append(next) }
            for change in changes { octets += Self.octets(of: change) }
            next += 1
        }
        arrivals.sort { $0.id < $1.id }
        order.insert(contentsOf: arrivals.lazy.map(\.index), at: 0)
        return next
    }

    /// About what a change adds to a batch.
    private static func octets(of change: QueueChange) -> Int {
        switch change {
        case .accept(let message):
            message.content.reduce(256 + 128 * message.envelope.recipients.count) { $0 + $1.count }
        case .progress(_, let list): 128 * list.count
        case .amend, .remove: 256
        case .ledger(let line): line.line.count
        case .note(_, let value): 64 + (value?.count ?? 0)
        }
    }

    /// The id of a message that comes with its history and nothing else: no order to others matters to it.
    private static func arrival(_ changes: [QueueChange]) -> QueueID? {
        var id: QueueID?
        for change in changes {
            switch change {
            case .accept(let message) where id == nil: id = message.envelope.id
            case .ledger: break
            case .accept, .progress, .amend, .remove, .note: return nil
            }
        }
        return id
    }

    /// Adds one commit to the batch, or refuses it; returns by how much the queue grows.
    private func fill(from index: Int, _ database: Database) -> Int {
        guard room.mayTakeMail || !isIntake(waiting.commits[index].changes) else {
            completions.add(waiting.commits[index].lane, waiting.commits[index].completion, .failure(.full))
            waiting.commits[index].changes = []
            waiting.commits[index].completion = Self.told
            return 0
        }
        var growth = 0
        for change in waiting.commits[index].changes {
            switch change {
            case .accept(let message):
                if message.envelope.chunkCount > 0 {
                    backlog.write(of: message.envelope.id, batch, database, &completions)
                } else {
                    hasSmall = true
                }
                batch.accept(message, epoch: epoch, to: database)
                growth += 1
            case .progress(let id, let list):
                progressed.insert(id)
                for each in list { batch.progress(id, each.index, each.progress, to: database) }
            case .amend(let envelope):
                progressed.insert(envelope.id)
                batch.amend(envelope, epoch: epoch, to: database)
            case .remove(let id, let chunkCount, let recipientCount):
                let had = progressed.remove(id)
                batch.remove(
                    id, chunkCount: chunkCount, recipientCount: recipientCount, hadProgress: had,
                    from: database)
                growth -= 1
            case .ledger(let line):
                batch.ledger(line, to: database)
            case .note(let key, let value):
                batch.note(key, value, to: database)
            }
        }
        return growth
    }

    /// New mail, and nothing else: a bounce comes together with the progress that causes it, and has its room
    /// set aside.
    private func isIntake(_ changes: [QueueChange]) -> Bool {
        var accepts = false
        for change in changes {
            switch change {
            case .accept: accepts = true
            case .progress, .amend, .remove: return false
            case .ledger, .note: break
            }
        }
        return accepts
    }

    private func finish(_ places: [Int], accepted: Int, _ database: Database) {
        guard !batch.isEmpty else { return answer(places, .success(())) }
        let begun = ContinuousClock.now
        if hasSmall { pace.smallCame(at: begun) }
        hasSmall = false
        do {
            try batch.write(to: database, synced: true)
            if let note = log.look(isSure: !hasWrittenUnsynced) { witness.log(note) }
            hasWrittenUnsynced = false
            lastBatchCommits = places.count
            health.batchWritten(
                commits: places.count, octets: batch.octets, growth: accepted,
                took: ContinuousClock.now - begun)
            answer(places, .success(()))
            wrote(batch.octets)
        } catch {
            answer(places, .failure(fallSick(error)))
        }
    }

    private static let told: StoreCompletion = { _ in }

    private func answer(_ places: some Sequence<Int>, _ result: Result<Void, StoreError>) {
        for index in places {
            completions.add(waiting.commits[index].lane, waiting.commits[index].completion, result)
        }
        completions.deliver()
    }

    private func refuse(_ places: some Sequence<Int>) {
        answer(places, .failure(health.refusal ?? .sick(detail: "the store is being mended")))
    }

    private func refuseAll() {
        refuse(waiting.commits.indices)
        backlog.refuse(health.refusal ?? .sick(detail: "the store is being mended"), into: &completions)
        completions.deliver()
    }

    // MARK: Chunks

    private func writeChunks(_ database: Database) {
        guard !backlog.isEmpty, health.isWell, pace.wait(at: .now) == .zero else { return }
        guard room.mayTakeMail else {
            backlog.refuse(.full, into: &completions)
            return completions.deliver()
        }
        batch.removeAll()
        let begun = ContinuousClock.now
        let taken = backlog.fill(batch, upTo: options.chunkOctetsPerBatch, database)
        do {
            hasWrittenUnsynced = true
            try batch.write(to: database, synced: false)
            pace.chunksWritten(batch.octets, from: begun, to: .now)
            backlog.finish(taken, &completions)
            wrote(batch.octets)
        } catch .busy {
            backlog.isStalled = true
        } catch {
            backlog.refuse(fallSick(error), into: &completions)
        }
        completions.deliver()
    }

    private func writeDrops(_ database: Database) {
        guard !waiting.drops.isEmpty, health.isWell else { return }
        batch.removeAll()
        for drop in waiting.drops {
            backlog.drop(drop.id, &completions)
            batch.dropChunks(drop.id, count: drop.count, from: database)
        }
        // What is not dropped now is swept at the next start.
        hasWrittenUnsynced = true
        do {
            try batch.write(to: database, synced: false)
        } catch .busy {
        } catch {
            _ = fallSick(error)
        }
        completions.deliver()
    }

    // MARK: Room and sickness

    private func wrote(_ octets: Int) {
        octetsSinceLook += octets
        guard octetsSinceLook >= room.lookEveryOctets else { return }
        octetsSinceLook = 0
        room.look()
    }

    private func fallSick(_ error: DatabaseError) -> StoreError {
        let refusal = refusal(for: error)
        health.fallSick(refusal, detail: error.detail)
        if error.isDamage { health.found(error.finding) }
        pause = .milliseconds(50)
        return refusal
    }

    /// What clients hear; at the end of the disk, what was set aside goes.
    private func refusal(for error: DatabaseError) -> StoreError {
        guard case .noSpace = error else { return .sick(detail: error.detail) }
        room.giveUpBallast()
        return .full
    }

    /// After an error RocksDB takes no more writes until it is opened anew; what was answered is in its log.
    private func mend() {
        do throws(DatabaseError) {
            hasWrittenUnsynced = true
            guard room.mayOpen else {
                throw .noSpace("no room to open the store again: \(room.freeOctets) octets are free")
            }
            try database.replace { () throws(DatabaseError) in try reopen() }
            health.recover()
            room.look()
            pause = .zero
        } catch {
            if error.isDamage { health.found(error.finding) }
            health.fallSick(refusal(for: error), detail: error.detail)
            pause = min(max(pause, .milliseconds(50)) * 2, .seconds(5))
        }
    }
}
