/// Why a node does not start, or a reload was not applied: what, where, and what to do.
package struct NodeError: Error, CustomStringConvertible, Sendable {
    package let description: String
    /// How the process ends.
    package let exit: Exit

    package enum Exit: Int32, Sendable {
        /// EX_CONFIG: nothing will change until somebody mends it.
        case configuration = 78
        /// Another process is this node. The service manager must not start this one again, or it would ask the members every
        /// few seconds which of the two they know (`RestartPreventExitStatus` of the unit names this).
        case cloned = 77
    }

    package init(_ description: String, exit: Exit = .configuration) {
        self.description = description
        self.exit = exit
    }

    /// Says which part could not do its work; the part's own words follow.
    static func part(_ name: String, _ error: any Error) -> NodeError { NodeError("\(name): \(error)") }
}
