package import MailValues

/// The kinds of event; the raw value stands in the file, so a name once given stays.
package enum EventKind: String, Sendable, CaseIterable {
    case reception, rejection, delivery, deferral, bounce, expiration, relayed
    case hold, release, deletion, amendment, handover
    case gate
    case dsn, doubleBounce, session, authentication, configuration, lifecycle, store, admin, cluster
}

/// One thing that happened: a JSON line in the event file, and a line of the message's ledger.
package struct Event: Sendable {
    package enum Value: Sendable, Equatable {
        case text(String)
        case number(Int64)
        case flag(Bool)
        case list([String])
    }

    package let at: Timestamp
    package let kind: EventKind
    package let message: QueueID?
    package private(set) var fields: [(name: StaticString, value: Value)]

    package init(
        _ kind: EventKind, at: Timestamp, message: QueueID? = nil,
        fields: [(name: StaticString, value: Value)] = []
    ) {
        self.kind = kind
        self.at = at
        self.message = message
        self.fields = fields
        // As many as mail that is taken or delivered has: else the array grows five times.
        self.fields.reserveCapacity(16)
    }

    package mutating func add(_ name: StaticString, _ value: Value) { fields.append((name, value)) }

    package mutating func add(_ name: StaticString, _ text: String?) {
        if let text { fields.append((name, .text(text))) }
    }
}

/// Where events go. A call never waits: a full sink drops and counts.
package protocol EventSink: AnyObject, Sendable {
    /// `line`: an event as `Event.encoded` gives it, without an end of line.
    func write(_ line: [UInt8])
}
