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

extension Scheduler {
    /// Looks at every entry: milliseconds for a hundred thousand.
    package func summary(now: Timestamp, domainLimit: Int) -> QueueSummary {
        var summary = QueueSummary()
        summary.messages = messageCount
        summary.entries = entryCount
        summary.waiting = waitingCount
        summary.ready = readyCount
        summary.inFlight = inFlightCount
        summary.held = heldCount
        var lines: [Domain: QueueSummary.DomainLine] = [:]
        forEach { _, entry in
            summary.count(entry, now: now)
            lines[entry.domain, default: QueueSummary.DomainLine(domain: entry.domain)].count(entry)
            return true
        }
        summary.domains = Array(
            lines.values.sorted { ($1.entries, $0.domain.name) < ($0.entries, $1.domain.name) }.prefix(domainLimit))
        return summary
    }
}

extension QueueSummary {
    fileprivate mutating func count(_ entry: EntryView, now: Timestamp) {
        octets += entry.sizeOctets
        let accepted = entry.id.time
        oldest = oldest.map { min($0, accepted) } ?? accepted
        let age = now - accepted
        ages[Self.ageBounds.firstIndex { age < $0 } ?? ages.count - 1] += 1
    }
}

extension QueueSummary.DomainLine {
    fileprivate mutating func count(_ entry: EntryView) {
        entries += 1
        octets += entry.sizeOctets
        let accepted = entry.id.time
        oldest = oldest.map { min($0, accepted) } ?? accepted
        switch entry.place {
        case .waiting: break
        case .ready: ready += 1
        case .inFlight: inFlight += 1
        case .held: held += 1
        }
    }
}
