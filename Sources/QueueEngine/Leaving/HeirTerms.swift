import MailValues

/// How a leaver stands with one heir: what bears its mark, and the session with it.
struct HeirTerms: Sendable {
    var standing = Leaver.Standing.silent
    /// Of the last session in this epoch.
    var round: UInt32 = 0
    var link = Link.closed
    /// Offers are welcome, as it said last.
    var isTaking = false
    /// Everything that bears this heir's mark.
    private(set) var marks: [QueueID: Mark] = [:]
    /// Marked, surely not taken, and to be offered; first in, first out.
    private(set) var ready: [QueueID] = []
    private var readyDone = 0
    /// Refused for a while.
    private(set) var resting: [(id: QueueID, until: Uptime)] = []
    /// Have rested: another heir may have them, if there is one.
    private(set) var displaced: [QueueID] = []
    private(set) var outstanding: [UInt64: QueueID] = [:]
    private(set) var openOctets = 0
    /// Octets and number of messages whose mark for this heir is on its way to the disk.
    var markingCount = 0
    var markingOctets = 0
    private(set) var takenCount = 0
    private(set) var unknownCount = 0
    private(set) var movingCount = 0
    /// Its receipts were found to be all of its marks, after the last of them.
    var isConfirmed = false

    struct Mark: Sendable {
        enum Standing: Sendable, Equatable {
            /// Perhaps taken: only the heir can tell.
            case unknown
            /// Surely not taken, nor can it be but by a new offer.
            case free
            /// Offered in the session under way.
            case offered(count: UInt64)
            /// The heir has it on its disk.
            case taken
            /// Surely not taken; the mark of another heir, or the end of the mark, is on its way to the disk.
            case moving
            /// Taken, and the record is being removed.
            case ending
        }
        var due: Timestamp
        var octets: Int
        var epoch: UInt64
        var standing: Standing
    }

    enum Link: Sendable {
        case closed
        case opening(LeavingSession, peer: NodeID, asked: Uptime)
        case comparing(LeavingSession, peer: NodeID, nonce: UInt64, ReceiptComparison, asked: Uptime)
        case open(Open)

        struct Open: Sendable {
            var session: LeavingSession
            var peer: NodeID
            var nonce: UInt64
            var nextCount: UInt64 = 0
            var heard: Uptime
            var restsUntil: Uptime?
        }

        var peer: NodeID? {
            switch self {
            case .closed: nil
            case .opening(_, let peer, _), .comparing(_, let peer, _, _, _): peer
            case .open(let open): open.peer
            }
        }
    }

    /// Surely not taken, whether they rest or not.
    var freeCount: Int { readyCount + resting.count + displaced.count }
    var readyCount: Int { ready.count - readyDone }
    /// Messages that take up its window, or are about to.
    var load: Int { outstanding.count + freeCount + markingCount }
    var loadOctets: Int { openOctets + markingOctets }
    /// Every mark is one of a message that it has.
    var isSettled: Bool { takenCount == marks.count && markingCount == 0 }
    var oldestEpoch: UInt64? { marks.values.lazy.map(\.epoch).min() }

    /// It has said that it takes nothing now.
    func isResting(now: Uptime) -> Bool {
        guard case .open(let open) = link else { return false }
        return !isTaking || open.restsUntil.map { $0 > now } ?? false
    }

    // MARK: Marks

    mutating func add(_ message: Leaver.Message, epoch: UInt64, standing: Mark.Standing) {
        precondition(marks[message.id] == nil, "a message bears one mark")
        marks[message.id] = Mark(
            due: message.due, octets: message.octets, epoch: epoch, standing: .unknown)
        unknownCount += 1
        isConfirmed = false
        if standing == .free { free(message.id) }
    }

    mutating func remove(_ id: QueueID) -> Leaver.Message? {
        guard let mark = marks[id] else { return nil }
        leave(mark.standing)
        if case .free = mark.standing { drop(id) }
        marks[id] = nil
        return Leaver.Message(id, due: mark.due, octets: mark.octets)
    }

    /// Another standing; `ready` and the window follow.
    mutating func set(_ id: QueueID, _ standing: Mark.Standing) {
        guard let old = marks[id]?.standing, old != standing else { return }
        leave(old)
        if case .free = old { drop(id) }
        if case .offered(let count) = old {
            outstanding[count] = nil
            openOctets -= marks[id]?.octets ?? 0
        }
        marks[id]?.standing = standing
        switch standing {
        case .unknown: unknownCount += 1
        case .free: ready.append(id)
        case .offered(let count):
            outstanding[count] = id
            openOctets += marks[id]?.octets ?? 0
        case .taken: takenCount += 1
        case .moving, .ending: movingCount += 1
        }
    }

    mutating func free(_ id: QueueID) { set(id, .free) }

    /// Refused for now: it is offered again later.
    mutating func rest(_ id: QueueID, until: Uptime) {
        set(id, .free)
        drop(id)
        resting.append((id, until))
    }

    mutating func wake(now: Uptime) {
        guard resting.contains(where: { $0.until <= now }) else { return }
        displaced += resting.filter { $0.until <= now }.map(\.id)
        resting.removeAll { $0.until <= now }
    }

    /// Nobody else is there: they are offered here again.
    mutating func stay() {
        ready += displaced
        displaced = []
    }

    /// The next to be offered, if it fits.
    func nextReady(windowMessages: Int, windowOctets: Int) -> QueueID? {
        guard readyDone < ready.count, outstanding.count < windowMessages else { return nil }
        let id = ready[readyDone]
        let octets = marks[id]?.octets ?? 0
        return outstanding.isEmpty || openOctets + octets <= windowOctets ? id : nil
    }

    var hasFree: Bool { freeCount > 0 }

    func someDisplaced(_ limit: Int) -> [QueueID] { Array(displaced.prefix(limit)) }

    func someTaken(_ limit: Int) -> [QueueID] {
        Array(marks.lazy.filter { $0.value.standing == .taken }.map(\.key).prefix(limit))
    }

    /// Some that are free, and rest or not.
    func someFree(_ limit: Int) -> [QueueID] {
        Array((displaced + ready[readyDone...].prefix(limit) + resting.map(\.id)).prefix(limit))
    }

    private mutating func leave(_ standing: Mark.Standing) {
        switch standing {
        case .unknown: unknownCount -= 1
        case .taken: takenCount -= 1
        case .moving, .ending: movingCount -= 1
        case .free, .offered: break
        }
    }

    private mutating func drop(_ id: QueueID) {
        if readyDone < ready.count, ready[readyDone] == id {
            readyDone += 1
            if readyDone > 1_024 && readyDone * 2 > ready.count {
                ready.removeFirst(readyDone)
                readyDone = 0
            }
        } else if let place = ready[readyDone...].firstIndex(of: id) {
            ready.remove(at: place)
        } else {
            resting.removeAll { $0.id == id }
            displaced.removeAll { $0 == id }
        }
    }

    // MARK: The link

    /// Nothing is under way any more; what was offered may have been taken.
    mutating func breakOff() {
        link = .closed
        for id in Array(outstanding.values) { set(id, .unknown) }
        isConfirmed = false
    }

    /// Nothing is the heir's any more. Returns of how many messages that is not sure.
    mutating func disown() -> Int {
        var doubtful = 0
        for (id, mark) in marks {
            switch mark.standing {
            case .unknown, .offered, .taken:
                doubtful += 1
                free(id)
            case .free, .moving, .ending: break
            }
        }
        return doubtful
    }

    /// All marks as the receipts that answer them.
    var receipts: [Receipt] {
        marks.compactMap { id, mark in
            switch mark.standing {
            case .moving: nil
            case .unknown, .free, .offered, .taken, .ending: Receipt(id, epoch: mark.epoch)
            }
        }
    }
}
