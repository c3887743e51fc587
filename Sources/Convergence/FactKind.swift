/// What a fact is about, as a number on the wire. The number belongs to the kind for ever.
///
/// Each kind is declared where its `Fact` is; the node's catalogue sees to it that no two are the same.
package struct FactKind: RawRepresentable, Hashable, Comparable, Sendable {
    package var rawValue: UInt16

    @inlinable
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable
    package static func < (left: FactKind, right: FactKind) -> Bool { left.rawValue < right.rawValue }

    /// How far an origin has trimmed a kind (see `Floor`): the one kind that belongs to the log itself.
    package static let floor = FactKind(rawValue: 0)
}

/// What an origin speaks about: a kind, and a subject in that kind's own form.
package struct FactKey: Hashable, Sendable {
    package var kind: FactKind
    package var subject: [UInt8]

    @inlinable
    package init(_ kind: FactKind, _ subject: [UInt8]) {
        self.kind = kind
        self.subject = subject
    }
}
