import MailValues

/// The receipts of one subject.
struct ReceiptBook: Sendable {
    /// Of a testament: the leaving of the heir who gave them, and 0 for receipts of our own. Nil: there was none.
    var number: UInt64?
    private var epochs: [QueueID: UInt64] = [:]
    private var table: ReceiptTable?

    init() {}

    subscript(id: QueueID) -> UInt64? { epochs[id] }

    var receipts: [Receipt] { epochs.map { Receipt($0, epoch: $1) } }

    mutating func add(_ receipts: [Receipt]) {
        guard !receipts.isEmpty else { return }
        for receipt in receipts { epochs[receipt.id] = receipt.epoch }
        table = nil
    }

    /// Everything of an epoch up to this one.
    mutating func remove(through epoch: UInt64) -> [QueueID] {
        let ids = epochs.filter { $0.value <= epoch }.map(\.key)
        guard !ids.isEmpty else { return [] }
        for id in ids { epochs[id] = nil }
        table = nil
        return ids
    }

    /// In order and summed up, made anew only when something changed.
    mutating func tabulated() -> ReceiptTable {
        if let table { return table }
        let made = ReceiptTable(receipts)
        table = made
        return made
    }
}

/// How an heir stands with one leaver.
struct HeirDealing: Sendable {
    struct Place: Hashable, Sendable {
        var session: LeavingSession
        var count: UInt64
    }

    var session: LeavingSession?
    /// The next offer that counts.
    var next: UInt64 = 0
    /// On the way to the disk, of this session and of former ones.
    var pending: [Place: Receipt] = [:]

    func begun(_ session: LeavingSession) -> HeirDealing {
        HeirDealing(session: session, next: 0, pending: pending)
    }
}

/// A testament of which not all parts have come.
struct IncomingTestament: Sendable {
    enum Step {
        case kept
        case isWhole([Receipt])
    }

    let speaker: NodeID
    let number: UInt64
    private(set) var nextPart: UInt32 = 0
    private(set) var receipts: [Receipt] = []
    private(set) var isWhole = false

    init(speaker: NodeID, number: UInt64) {
        self.speaker = speaker
        self.number = number
    }

    /// Nil: out of turn.
    mutating func take(_ testament: LeavingFrame.Testament, from node: NodeID) -> Step? {
        guard node == speaker, testament.number == number, !isWhole else { return nil }
        if testament.part + 1 == nextPart { return .kept }
        guard testament.part == nextPart else { return nil }
        nextPart += 1
        receipts += testament.receipts
        guard testament.isLast else { return .kept }
        isWhole = true
        return .isWhole(receipts)
    }
}
