/// The whole records of a log: what its fragments hold, put together.
struct LogRecords {
    private let log: UnsafeRawBufferPointer
    private var offset = 0
    private var gathered: [UInt8] = []
    private var isGathering = false
    private var isGatheredIntact = true
    /// Octets in no intact record.
    private(set) var unreadableOctets = 0

    init(_ log: UnsafeRawBufferPointer) { self.log = log }

    /// Hands the next record to `body`; false at the end.
    ///
    /// Of one that is damaged, but begins and ends where it should, `isIntact` says so: it is good for names,
    /// and for nothing else.
    mutating func next(_ body: (_ record: UnsafeRawBufferPointer, _ isIntact: Bool) -> Void) -> Bool {
        while let record = LogInspection.record(log, from: offset) {
            let isIntact = record.isIntact(log)
            guard isIntact || isFollowed(record) else {
                skip(record)
                continue
            }
            if !isIntact { unreadableOctets += record.end - record.offset }
            offset = record.end
            if take(record, isIntact, body) { return true }
        }
        return false
    }

    /// Whether a bad record ends where an intact one begins: then its length was not what was damaged.
    private func isFollowed(_ record: LogRecord) -> Bool {
        guard record.fits(log), let next = LogInspection.record(log, from: record.end) else { return false }
        return next.isIntact(log)
    }

    private mutating func take(
        _ record: LogRecord, _ isIntact: Bool, _ body: (UnsafeRawBufferPointer, Bool) -> Void
    ) -> Bool {
        switch record.kind {
        case .full:
            isGathering = false
            body(record.payload(log), isIntact)
            return true
        case .first:
            gathered = [UInt8](record.payload(log))
            isGathering = true
            isGatheredIntact = isIntact
        case .middle where isGathering, .last where isGathering:
            gathered.append(contentsOf: record.payload(log))
            isGatheredIntact = isGatheredIntact && isIntact
            guard record.kind == .last else { break }
            isGathering = false
            gathered.withUnsafeBytes { body($0, isGatheredIntact) }
            return true
        case .middle, .last:
            if isIntact { unreadableOctets += record.length }
        case nil:
            break
        }
        return false
    }

    /// To the next octet at which an intact record begins: in this block, else at the start of the next.
    private mutating func skip(_ record: LogRecord) {
        isGathering = false
        let end = min(record.blockEnd, log.count)
        var next = record.offset + 1
        while next < end {
            if let found = LogRecord(log, at: next), found.length > 0, found.isIntact(log) { break }
            next += 1
        }
        // Zeros are room that was set aside and never used.
        if !log[record.offset..<min(next, end)].allSatisfy({ $0 == 0 }) {
            unreadableOctets += min(next, end) - record.offset
        }
        offset = next < end ? next : record.blockEnd
    }
}
