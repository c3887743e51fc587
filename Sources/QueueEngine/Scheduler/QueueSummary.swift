package import MailValues

/// The queue in numbers, from memory alone.
package struct QueueSummary: Sendable, Equatable {
    package struct DomainLine: Sendable, Equatable {
        package var domain: Domain
        package var entries = 0
        package var ready = 0
        package var inFlight = 0
        package var held = 0
        package var oldest: Timestamp?
        package var octets = 0
        package init(domain: Domain) { self.domain = domain }
    }

    package var messages = 0
    package var entries = 0
    package var waiting = 0
    package var ready = 0
    package var inFlight = 0
    package var held = 0
    package var octets = 0
    package var oldest: Timestamp?
    /// Entries by age: under 5 minutes, 1 hour, 6 hours, 1 day, 3 days, and older.
    package var ages = [Int](repeating: 0, count: 6)
    /// The domains with most entries, most first.
    package var domains: [DomainLine] = []

    package static let ageBounds: [Duration] = [
        .seconds(300), .seconds(3600), .seconds(6 * 3600), .seconds(86_400), .seconds(3 * 86_400),
    ]

    package init() {}
}

/// A summary in the making: the queue is counted in portions, so that nobody waits for a million entries.
package struct QueueTally: Sendable {
    package private(set) var summary = QueueSummary()
    private var lines: [QueueSummary.DomainLine?] = []
    private let now: Timestamp

    package init(now: Timestamp) { self.now = now }

    mutating func count(_ record: EntryRecord) {
        let accepted = record.id.time
        let octets = Int(record.sizeOctets)
        summary.octets += octets
        summary.oldest = summary.oldest.map { min($0, accepted) } ?? accepted
        let age = now - accepted
        summary.ages[QueueSummary.ageBounds.firstIndex { age < $0 } ?? summary.ages.count - 1] += 1
        let place = Int(record.domain)
        while lines.count <= place { lines.append(nil) }
        var line = lines[place] ?? QueueSummary.DomainLine(domain: Domain(""))
        lines[place] = nil
        line.entries += 1
        line.octets += octets
        line.oldest = line.oldest.map { min($0, accepted) } ?? accepted
        switch record.place {
        case .waiting, .free: break
        case .ready: line.ready += 1
        case .inFlight: line.inFlight += 1
        case .held: line.held += 1
        }
        lines[place] = line
    }

    /// The domains with most entries, named, and the scheduler's own counts.
    package mutating func finish(with scheduler: borrowing Scheduler, domainLimit: Int) -> QueueSummary {
        summary.messages = scheduler.messageCount
        summary.entries = scheduler.entryCount
        summary.waiting = scheduler.waitingCount
        summary.ready = scheduler.readyCount
        summary.inFlight = scheduler.inFlightCount
        summary.held = scheduler.heldCount
        let most = lines.indices.filter { lines[$0] != nil }
            .sorted { (lines[$0]?.entries ?? 0, $1) > (lines[$1]?.entries ?? 0, $0) }
            .prefix(domainLimit)
        summary.domains = most.compactMap { place in
            guard var line = lines[place], place < scheduler.domainCount else { return nil }
            line.domain = scheduler.domain(DomainIndex(rawValue: UInt32(place)))
            return line
        }
        return summary
    }
}
