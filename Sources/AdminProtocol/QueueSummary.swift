package import MailValues

/// The queue counted by domain of recipient, sender or state.
package struct QueueSummary: Codable, Hashable, Sendable {
    package enum Grouping: String, Codable, Sendable, CaseIterable { case domain, sender, state, reply }

    package struct Row: Codable, Hashable, Sendable {
        package var key: String
        /// Messages; one for several domains counts in each.
        package var messages = 0
        package var octets = 0
        package var held = 0
        package var deferred = 0
        package var oldest: Moment?
        /// Messages younger than each of `QueueSummary.ageBounds`, not counted in an earlier one; the last
        /// holds the rest.
        package var ages = [Int](repeating: 0, count: QueueSummary.ageBounds.count + 1)
        package init(key: String) { self.key = key }
    }

    /// Ages in minutes.
    package static let ageBounds = [5, 20, 60, 240, 1440]

    package var schema = AdminAPI.schema
    package var grouping: Grouping
    package var ageBoundsMinutes = QueueSummary.ageBounds
    /// Largest first.
    package var rows: [Row]
    package var total: Row

    package init(grouping: Grouping, rows: [Row], total: Row) {
        self.grouping = grouping
        self.rows = rows
        self.total = total
    }
}

extension QueueSummary {
    /// Counts entries one after another, so that no list of all of them is needed.
    package struct Builder: Sendable {
        private let grouping: Grouping
        private let now: Timestamp
        private var rows: [String: Row] = [:]
        private var total = Row(key: "total")

        package init(by grouping: Grouping, now: Timestamp) {
            self.grouping = grouping
            self.now = now
        }

        package mutating func add(_ entry: QueueEntry) {
            count(entry, in: &total)
            for key in keys(of: entry) { count(entry, in: &rows[key, default: Row(key: key)]) }
        }

        /// The largest `limit` rows.
        package func summary(limit: Int = .max) -> QueueSummary {
            let sorted = rows.values.sorted { ($1.messages, $0.key) < ($0.messages, $1.key) }
            return QueueSummary(grouping: grouping, rows: Array(sorted.prefix(limit)), total: total)
        }

        private func keys(of entry: QueueEntry) -> Set<String> {
            let waiting = entry.recipients.lazy.filter { $0.state == .waiting }
            switch grouping {
            case .domain: return Set(waiting.map { $0.domain.lowercased() })
            case .sender: return [entry.sender.isEmpty ? "<>" : entry.sender]
            case .state: return [entry.state.rawValue]
            case .reply: return Set(waiting.map { $0.lastReply ?? entry.obstacle ?? "not tried" })
            }
        }

        private func count(_ entry: QueueEntry, in row: inout Row) {
            row.messages += 1
            row.octets += entry.sizeOctets
            if entry.state == .held { row.held += 1 }
            if entry.state == .deferred { row.deferred += 1 }
            row.oldest = row.oldest.map { min($0, entry.acceptedAt) } ?? entry.acceptedAt
            let minutes = (now - entry.acceptedAt.timestamp).wholeMilliseconds / 60_000
            row.ages[QueueSummary.ageBounds.firstIndex { minutes < $0 } ?? QueueSummary.ageBounds.count] += 1
        }
    }
}
