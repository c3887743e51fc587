/// Everything that happened to one message, oldest first.
package struct Explanation: Codable, Hashable, Sendable {
    package var schema = AdminAPI.schema
    package var id: String
    /// As it stands in the queue now; nil once it is done.
    package var entry: QueueEntry?
    /// Lines of its ledger.
    package var events: [EventRecord]

    package init(id: String, entry: QueueEntry?, events: [EventRecord]) {
        self.id = id
        self.entry = entry
        self.events = events
    }
}

/// One line of a ledger or an event file, read back.
package struct EventRecord: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
        case text(String)
        case number(Int64)
        case flag(Bool)
        case list([String])
    }

    package var at: Moment?
    package var kind: String
    package var id: String?
    package var fields: [String: Value]

    package init(at: Moment?, kind: String, id: String? = nil, fields: [String: Value] = [:]) {
        self.at = at
        self.kind = kind
        self.id = id
        self.fields = fields
    }
}

extension EventRecord: Codable {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        self.init(at: nil, kind: try container.decode(String.self, forKey: Name(stringValue: "kind")))
        for name in container.allKeys where name.stringValue != "kind" {
            switch name.stringValue {
            case "at": at = try container.decode(Moment.self, forKey: name)
            case "id": id = try container.decode(String.self, forKey: name)
            case let other: fields[other] = try container.decode(Value.self, forKey: name)
            }
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Name.self)
        try container.encodeIfPresent(at, forKey: Name(stringValue: "at"))
        try container.encode(kind, forKey: Name(stringValue: "kind"))
        try container.encodeIfPresent(id, forKey: Name(stringValue: "id"))
        for (name, value) in fields { try container.encode(value, forKey: Name(stringValue: name)) }
    }
}

extension EventRecord.Value: Codable, CustomStringConvertible {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Int64.self) {
            self = .number(number)
        } else if let list = try? container.decode([String].self) {
            self = .list(list)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        case .flag(let flag): try container.encode(flag)
        case .list(let list): try container.encode(list)
        }
    }

    package var description: String {
        switch self {
        case .text(let text): text
        case .number(let number): "\(number)"
        case .flag(let flag): flag ? "yes" : "no"
        case .list(let list): list.joined(separator: ", ")
        }
    }
}
