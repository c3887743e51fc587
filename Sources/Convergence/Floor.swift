/// How far an origin has trimmed one kind: all that it said of the kind up to here is gone.
///
/// A floor is a statement like any other: signed, numbered, pushed and repaired with the rest. So nobody can
/// raise the floor of another, nobody can miss one whose mark has passed it, and who was away for long drops
/// what the origin has forgotten, deletions and what they deleted alike, before it speaks of it again.
package struct Floor: Sendable, Equatable {
    package var kind: FactKind
    package var counter: UInt64

    package init(kind: FactKind, counter: UInt64) {
        self.kind = kind
        self.counter = counter
    }

    package var key: FactKey {
        FactKey(.floor, [UInt8(kind.rawValue >> 8), UInt8(truncatingIfNeeded: kind.rawValue)])
    }

    package var value: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: counter >> UInt64(56 - 8 * $0)) }
    }

    package init?(_ record: FactRecord) {
        guard record.key.kind == .floor, record.key.subject.count == 2, let value = record.value,
            value.count == 8
        else { return nil }
        kind = FactKind(rawValue: UInt16(record.key.subject[0]) << 8 | UInt16(record.key.subject[1]))
        counter = value.reduce(0) { $0 << 8 | UInt64($1) }
        // A floor lies below the statement that says it, and the floor of floors would saw off its own branch.
        guard kind != .floor, counter < record.counter else { return nil }
    }
}
