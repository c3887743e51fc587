internal import MailValues

/// What everybody has to know of a kind of fact to carry it, without knowing what it means.
package struct FactDescription: Sendable, Equatable {
    package var kind: FactKind
    /// For logs, metrics and the operator's eye.
    package var name: String
    /// Sent to every peer at once, not only by the next rounds of gossip.
    package var isUrgent: Bool
    /// The longest that a statement may live, counted from when it was said; nil: until the origin says otherwise.
    package var lifetimeLongest: Duration?
    package var bounds: FactBounds
    /// A node's own judgement, which counts for nothing once the operator has revoked what the node said.
    package var isRevocable: Bool

    package init(
        kind: FactKind, name: String, isUrgent: Bool, lifetimeLongest: Duration?, bounds: FactBounds,
        isRevocable: Bool = false
    ) {
        precondition(kind != .floor, "the floor belongs to the log")
        self.kind = kind
        self.name = name
        self.isUrgent = isUrgent
        self.lifetimeLongest = lifetimeLongest
        self.bounds = bounds
        self.isRevocable = isRevocable
    }
}

/// What one origin may make everybody keep of one kind.
package struct FactBounds: Sendable, Equatable {
    /// Subjects, those deleted early and not yet forgotten among them.
    package var keys: Int
    /// Octets of subjects and values together.
    package var octets: Int
    /// Octets of one subject.
    package var subjectOctets: Int
    /// Octets of one value.
    package var valueOctets: Int
    /// What the origin does with one too many.
    package var overflow: Overflow

    package enum Overflow: Sendable, Equatable {
        /// What was said longest ago goes (see `Floor`).
        case trimOldest
        /// The new statement is refused: nothing that was said may be forgotten.
        case refuse
    }

    package init(
        keys: Int, octets: Int, subjectOctets: Int = 256, valueOctets: Int = 1024,
        overflow: Overflow = .trimOldest
    ) {
        self.keys = keys
        self.octets = octets
        self.subjectOctets = subjectOctets
        self.valueOctets = valueOctets
        self.overflow = overflow
    }

    /// One floor for each kind, and no origin speaks of so many.
    static let floors = FactBounds(keys: 256, octets: 1 << 14, subjectOctets: 2, valueOctets: 8)

    /// What a newer version says and we only carry.
    static let unknown = FactBounds(keys: 4096, octets: 1 << 20, subjectOctets: 256, valueOctets: 4096)

    /// Unknown kinds of which one origin may speak: more than any version will bring at once, and few enough that a liar's
    /// made-up ones fill nobody's memory.
    static let unknownKindsOfOrigin = 8

    /// What a reader bears before it takes an origin for a liar: what is over goes in the same batch as the
    /// floor that makes room, but a push may bring the one without the other.
    func borne(_ bound: Int) -> Int { bound + bound / 4 + 16 }
}

/// The kinds that a node carries.
package struct FactTable: Sendable {
    private let rows: [FactKind: FactDescription]

    /// Nil if two kinds share a number: one would be read as the other.
    package init?(_ descriptions: some Sequence<FactDescription>) {
        var rows: [FactKind: FactDescription] = [:]
        for row in descriptions where rows.updateValue(row, forKey: row.kind) != nil { return nil }
        self.rows = rows
    }

    package subscript(kind: FactKind) -> FactDescription? { rows[kind] }

    package var all: [FactDescription] { rows.values.sorted { $0.kind < $1.kind } }

    func knows(_ kind: FactKind) -> Bool { kind == .floor || rows[kind] != nil }

    /// A kind that we do not know is carried all the same: whoever passed it by could not speak for its range
    /// any more, and those who ask us for it would miss it.
    func bounds(of kind: FactKind) -> FactBounds {
        kind == .floor ? .floors : rows[kind]?.bounds ?? .unknown
    }

    /// The longest life of a kind in milliseconds; nil: it has no end.
    func lifetimeLongest(of kind: FactKind) -> Int64? { rows[kind]?.lifetimeLongest?.wholeMilliseconds }
}
