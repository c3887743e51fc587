/// What delivery has done since it started.
package struct DeliveryCounters: Sendable, Equatable {
    /// Attempts that reached a transaction; recipients are counted in the others.
    package var transactions = 0
    package var delivered = 0
    package var deferred = 0
    package var bounced = 0
    package var expired = 0
    package var deleted = 0
    /// Entries put to rest with their dead site, unattempted.
    package var suspended = 0
    /// Recipients for whom the final dot may have arrived without an answer.
    package var possibleDuplicates = 0
    /// Failed handshakes after which the same host was dialled in clear.
    package var clearFallbacks = 0
    /// Attempts that ended because we could not read our own envelope or content.
    package var unreadable = 0
    package var connections = 0
    package var connectionsFailed = 0
    package var sitesFailed = 0
    package var reports = 0
    package var doubleBounces = 0
    /// Outcomes that the store refused; they are tried again until it takes them.
    package var recordsRefused = 0
    /// Outcomes that it had not taken when a stop's time was over: those messages go out again.
    package var recordsGivenUp = 0
    package init() {}
}

/// Delivery at this moment.
package struct DeliveryStatus: Sendable, Equatable {
    package var counters = DeliveryCounters()
    package var messages = 0
    package var waiting = 0
    package var ready = 0
    package var inFlight = 0
    package var held = 0
    /// Of all entries: a message for several domains counts for each.
    package var octets = 0
    package var connections = 0
    package var connectionsIdle = 0
    package var sites = 0
    package var sitesResting = 0
    package var freshOctets = 0
    package init() {}
}
