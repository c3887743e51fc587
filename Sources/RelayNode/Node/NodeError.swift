/// Why a node does not start, or a reload was not applied: what, where, and what to do.
package struct NodeError: Error, CustomStringConvertible, Sendable {
    package let description: String

    package init(_ description: String) { self.description = description }

    /// Says which part could not do its work; the part's own words follow.
    static func part(_ name: String, _ error: any Error) -> NodeError { NodeError("\(name): \(error)") }
}
