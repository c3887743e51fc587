/// Where a statement stands among all that its origin ever said.
///
/// The incarnation is the origin's start, the counter the number of the statement since then: whatever an
/// origin says in a new incarnation replaces all that it said in the last.
package struct Version: Hashable, Comparable, Sendable {
    package var incarnation: UInt64
    package var counter: UInt64

    @inlinable
    package init(incarnation: UInt64, counter: UInt64) {
        self.incarnation = incarnation
        self.counter = counter
    }

    @inlinable
    package static func < (left: Version, right: Version) -> Bool {
        (left.incarnation, left.counter) < (right.incarnation, right.counter)
    }
}

extension Version: CustomStringConvertible {
    package var description: String { "\(incarnation).\(counter)" }
}
