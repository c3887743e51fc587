/// What happens to a cluster, and when: the text of `cluster/scenarios/*.json`, which real processes run too.
///
/// A node is named by its place, from 0; where a cluster has fewer, places begin anew.
package struct Scenario: Codable, Sendable, Equatable {
    package var name: String
    package var about: String
    /// Seconds until the end; the promises that need quiet are looked at then.
    package var seconds: Double
    package var network: Network?
    package var stalls: Stalls?
    package var clocks: Clocks?
    /// Facts said each second by all nodes together.
    package var factsPerSecond: Double?
    /// Seconds that a fact lives, half of it at least; absent: it stays.
    package var factLifetime: Double?
    /// The share of facts that are taken back before their time.
    package var factsTakenBack: Double?
    package var steps: [Step]?

    package struct Network: Codable, Sendable, Equatable {
        /// One way, in milliseconds: each link has a fixed delay between these two.
        package var delayShortest: Double?
        package var delayLongest: Double?
        /// Of packets; a lost one delays all behind it by 200 ms, then 400, …
        package var loss: Double?
    }

    /// Nodes that stand still now and then, as a machine that swaps does.
    package struct Stalls: Codable, Sendable, Equatable {
        /// Of nodes; at least one.
        package var share: Double
        package var seconds: Double
        /// From one stall to the next, on average.
        package var every: Double
    }

    package struct Clocks: Codable, Sendable, Equatable {
        /// Clocks run so much faster or slower at most, in parts of a million.
        package var drift: Double?
    }

    package enum Deed: String, Codable, Sendable {
        /// Part the nodes in two: `nodes`, or those from place 0 to `share` of them, and the rest.
        case cut
        case heal
        /// Cut one node off from all.
        case isolate
        case kill
        /// The machine, not only the process: nobody refuses connections.
        case powerOff
        case start
        /// SIGSTOP and SIGCONT.
        case freeze
        case thaw
        /// Keep a copy of the store, and later start from it.
        case snapshot
        case startFromSnapshot
        /// A second process with the same key and store.
        case clone
        case drain
        case undrain
        /// Away on purpose for `within` seconds.
        case park
        case evict
        /// The wall clock jumps by `by` seconds.
        case jump
        /// The operator gives an order at this node.
        case order
        /// From now on it says of all that others said that there is nothing, and hides their orders.
        case hide
    }

    package struct Step: Codable, Sendable, Equatable {
        /// Seconds from the beginning.
        package var at: Double
        /// The moment is this much later at most, by chance.
        package var spread: Double?
        package var `do`: Deed
        package var node: Int?
        package var nodes: [Int]?
        package var share: Double?
        package var within: Double?
        package var by: Double?
    }
}
