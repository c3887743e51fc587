/// How many connections we open, to whom, and how patient we are with hosts that do not answer.
///
/// Sites that have answered lately, and sites that have not, draw on separate shares: ten thousand dead
/// destinations fill their own share and take nothing from the living.
package struct ConcurrencyLimits: Sendable, Equatable {
    /// Connections to living sites, in all.
    package var connectionsTotal = 2_000
    /// Connections to one site.
    package var connectionsPerSite = 20
    /// Connections to one configured smarthost or LMTP server.
    package var connectionsPerRoute = 50
    /// Connections to all sites of one provider.
    package var connectionsPerProvider = 100
    /// Connections that a site gets with its first good greeting; each success adds one.
    package var connectionsFirst = 2
    /// First connections to sites that we know nothing of, while they are quick.
    package var openingUnknown = 500
    /// Where none is free: such connections to those that came last, each given back when it becomes slow.
    package var openingNewest = 50
    /// Connections that look whether a dead site lives again.
    package var openingProbes = 100
    /// Such connections that have become slow.
    package var openingSlow = 1_500
    package var openingProbesSlow = 500
    /// After this long an opening connection counts as slow.
    package var patienceQuick: Duration = .seconds(2)
    /// A slow one is given up after this long where others wait for its place.
    package var patienceUnderPressure: Duration = .seconds(10)
    /// An opening connection is given up after this long in any case. RFC 5321 §4.5.3.2.1 allows a greeting
    /// five minutes; a host that needs more than one is tried again later, when the wait costs nobody else.
    package var patienceLongest: Duration = .seconds(75)
    /// How long a dead site rests before one connection looks again; doubles with each failure.
    package var siteRestFirst: Duration = .seconds(60)
    /// The same for a configured smarthost or LMTP server that takes no connection: all its mail waits while
    /// it restarts, and restarts are quick.
    package var routeRestFirst: Duration = .seconds(1)
    package var siteRestLongest: Duration = .seconds(15 * 60)
    /// After a site refused one more connection beside those that stand, how long we ask for no more.
    package var siteGrowthPause: Duration = .seconds(60)
    /// Messages over one connection before it is closed; 0: no bound.
    package var messagesPerConnection = 1_000
    /// How long an idle connection is kept for the next message.
    package var idleReuse: Duration = .seconds(10)
    /// Recipients in one transaction; a peer's RCPTMAX may lower it (RFC 9422 §4.2).
    package var recipientsPerTransaction = 1_000
    /// DNS look-ups of destinations that run at a time, while they are quick; and slow ones.
    package var resolvingQuick = 256
    package var resolvingSlow = 1_024

    package init() {}
}
