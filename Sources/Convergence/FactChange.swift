package import MailValues

/// What became different in what we know; whoever keeps a view of facts brings it up to date with these.
package enum FactChange: Sendable, Equatable {
    /// The origin says this now. `age` is in milliseconds.
    case said(NodeID, FactRecord, age: Int64)
    /// The origin says nothing about the key any more: deleted, trimmed, or its time is over.
    case withdrawn(NodeID, FactKey)
    /// All that the origin said is void: it began anew, or is no member any more.
    case forgotten(NodeID)
}
