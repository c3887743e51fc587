package import MailValues

/// Which messages are meant: those that fit everything that is given.
///
/// In a query and in a body it is a flat list of names and texts. A name that we do not know is an error,
/// never ignored: a filter that an older node half understands would delete more than was asked for.
package struct QueueFilter: Hashable, Sendable {
    /// The id, or its beginning.
    package var id: String?
    /// The sender: an address, `@domain`, `<>`, or a pattern with `*`.
    package var sender: String?
    /// Some recipient: an address, `@domain`, or a pattern with `*`.
    package var recipient: String?
    /// The domain of some recipient.
    package var domain: String?
    /// Accepted longer ago than this.
    package var olderThan: Span?
    /// Accepted less long ago than this.
    package var youngerThan: Span?
    package var state: QueueEntry.State?
    /// The last reply holds this text.
    package var reply: String?
    /// Every message is meant. Without it an empty filter means none, in changes.
    package var all = false

    package init() {}

    package var isEmpty: Bool { self == QueueFilter() }
}

extension QueueFilter {
    package enum Name: String, CaseIterable, Sendable {
        case id, sender, recipient, domain, olderThan, youngerThan, state, reply, all
    }

    /// In the order of `Name`, those that are given.
    package var pairs: [(name: String, value: String)] {
        let values: [(Name, String?)] = [
            (.id, id), (.sender, sender), (.recipient, recipient), (.domain, domain),
            (.olderThan, olderThan?.description), (.youngerThan, youngerThan?.description),
            (.state, state?.rawValue),
            (.reply, reply), (.all, all ? "true" : nil),
        ]
        return values.compactMap { name, value in value.map { (name.rawValue, $0) } }
    }

    package init(pairs: some Sequence<(name: String, value: String)>) throws(AdminProblem) {
        for (name, value) in pairs {
            guard let known = Name(rawValue: name) else {
                throw AdminProblem(.badRequest, "there is no filter named \"\(name)\"", advice: Self.known)
            }
            try set(known, value)
        }
    }

    private static let known = "there are \(Name.allCases.map(\.rawValue).joined(separator: ", "))"

    private mutating func set(_ name: Name, _ value: String) throws(AdminProblem) {
        switch name {
        case .id:
            id = value.uppercased()
            // Letters of ASCII alone: some others change each time they are made upper case.
            guard (1...26).contains(value.utf8.count), value.utf8.allSatisfy({ $0 < 0x80 }) else {
                throw Self.bad(name, value, "an id has 26 letters")
            }
        case .sender: sender = value
        case .recipient: recipient = value
        case .domain: domain = value
        case .olderThan: olderThan = try Self.span(name, value)
        case .youngerThan: youngerThan = try Self.span(name, value)
        case .state:
            state = QueueEntry.State(rawValue: value)
            let states = QueueEntry.State.allCases.map(\.rawValue).joined(separator: ", ")
            guard state != nil else { throw Self.bad(name, value, "there are \(states)") }
        case .reply: reply = value
        case .all:
            all = value == "true"
            guard all else { throw Self.bad(name, value, "it is true or not given") }
        }
    }

    private static func span(_ name: Name, _ value: String) throws(AdminProblem) -> Span {
        guard let span = Span(value) else { throw bad(name, value, "write 90s, 15m, 4h or 2d") }
        return span
    }

    private static func bad(_ name: Name, _ value: String, _ advice: String) -> AdminProblem {
        AdminProblem(.badRequest, "\(name.rawValue) cannot be \"\(value)\"", advice: advice)
    }
}

extension QueueFilter: Codable {
    package init(from decoder: any Decoder) throws {
        let pairs = try decoder.singleValueContainer().decode([String: String].self)
        try self.init(pairs: pairs.map { ($0.key, $0.value) })
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Dictionary(uniqueKeysWithValues: pairs.map { ($0.name, $0.value) }))
    }
}

extension QueueFilter {
    /// Whether a message is meant; an empty filter means every message.
    package func matches(_ entry: QueueEntry, now: Timestamp) -> Bool {
        if let id, !entry.id.hasPrefix(id) { return false }
        if let state, entry.state != state { return false }
        let age = (now - entry.acceptedAt.timestamp).wholeMilliseconds
        if let olderThan, age <= Int64(olderThan.seconds) * 1000 { return false }
        if let youngerThan, age >= Int64(youngerThan.seconds) * 1000 { return false }
        if let sender, !AddressPattern(sender).matches(entry.sender) { return false }
        if recipient == nil && domain == nil && reply == nil { return true }
        let pattern = recipient.map { AddressPattern($0) }
        return entry.recipients.contains { candidate in
            guard candidate.state == .waiting else { return false }
            if let pattern, !pattern.matches(candidate.address) { return false }
            if let domain, candidate.domain.lowercased() != domain.lowercased() { return false }
            if let reply, candidate.lastReply?.lowercased().contains(reply.lowercased()) != true {
                return false
            }
            return true
        }
    }
}
