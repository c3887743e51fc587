/// What the resolver has done since it was opened, and what it is doing.
package struct ResolverStatistics: Sendable, Equatable {
    /// Answered from our own cache, failures that were held among them.
    package var cacheHits: UInt64 = 0
    /// Handed to libunbound.
    package var lookups: UInt64 = 0
    /// Joined a look-up that was already under way.
    package var joined: UInt64 = 0
    package var timeouts: UInt64 = 0
    /// SERVFAIL and its like.
    package var failures: UInt64 = 0
    package var bogus: UInt64 = 0
    package var secure: UInt64 = 0
    /// Refused because too many were waiting.
    package var overLimit: UInt64 = 0
    package var prompt = 0
    package var slow = 0
    package var failing = 0
    package var waiting = 0
    package var cached = 0
}
