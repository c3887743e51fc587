package import MailValues

/// A kind of fact: what its subjects and values look like, and what all that origins say about one subject
/// comes to.
///
/// To add one is a file in the engine that owns it, its law test, and a line in the node's catalogue.
package protocol Fact: Sendable, Equatable {
    associatedtype Subject: Hashable, Sendable
    /// What the origins' words come to.
    associatedtype View

    static var description: FactDescription { get }

    static func octets(of subject: Subject) -> [UInt8]
    /// Nil for what no honest node writes.
    static func subject(_ octets: [UInt8]) -> Subject?

    var octets: [UInt8] { get }
    /// Nil for what no honest node writes. Fields that are not known are skipped: they are a newer version's.
    init?(octets: [UInt8])

    /// The same for the same words, in whatever order they come.
    static func merge(_ said: [Said<Self>]) -> View
}

/// What one origin says.
package struct Said<Value: Sendable & Equatable>: Sendable, Equatable {
    package var origin: NodeID
    package var version: Version
    package var value: Value
    package var stamp: Timestamp

    package init(origin: NodeID, version: Version, value: Value, stamp: Timestamp) {
        self.origin = origin
        self.version = version
        self.value = value
        self.stamp = stamp
    }
}

extension Fact {
    package static func key(_ subject: Subject) -> FactKey { FactKey(description.kind, octets(of: subject)) }
}

extension Replica {
    /// What each origin says about a subject. A value that cannot be read says nothing.
    package func said<F: Fact>(_: F.Type, about subject: F.Subject, now: Uptime) -> [Said<F>] {
        let key = F.key(subject)
        return statements(about: key, now: now).compactMap { origin, record in
            guard let octets = record.value, let value = F(octets: octets), let log = log(of: origin) else {
                return nil
            }
            let version = Version(incarnation: log.incarnation, counter: record.counter)
            return Said(origin: origin, version: version, value: value, stamp: record.stamp)
        }
    }

    /// What all origins' words about a subject come to.
    package func view<F: Fact>(_: F.Type, of subject: F.Subject, now: Uptime) -> F.View {
        F.merge(said(F.self, about: subject, now: now))
    }

    /// Says a fact of ours.
    package mutating func say<F: Fact>(
        _ fact: F, about subject: F.Subject, lifetime: Duration? = nil, now: ClockReading,
        into changes: inout [FactChange]
    ) throws(FactWriteError) {
        try say(F.key(subject), fact.octets, lifetime: lifetime, now: now, into: &changes)
    }
}
