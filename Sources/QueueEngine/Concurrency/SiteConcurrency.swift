package import MailValues

/// What we know of one site's health, and how many connections it may have.
///
/// An unknown or dead site gets one connection, which looks whether it lives; a living one starts with few
/// and earns more.
package struct SiteConcurrency: Sendable, Equatable {
    package enum Health: Sendable, Equatable {
        case unknown
        case living
        /// Nobody answered. It rests, then one connection looks again.
        case dead(until: Timestamp, failures: Int)
    }

    /// Which share a new connection draws on.
    package enum Share: Sendable, Equatable { case living, unknown, probe }

    package enum Permission: Sendable, Equatable {
        case open(Share)
        /// As many as it may have, or one that looks is under way.
        case enough
        case resting(until: Timestamp)
    }

    package private(set) var health: Health = .unknown
    /// Connections that stand.
    package private(set) var open = 0
    /// Connections on their way.
    package private(set) var opening = 0
    private var allowance: Int
    private var growsFrom = Timestamp(milliseconds: .min)
    /// Most that this site may ever have.
    package let ceiling: Int
    /// A smarthost or LMTP server that the operator named, not found by DNS.
    package let isRoute: Bool

    package init(ceiling: Int, isRoute: Bool = false, limits: ConcurrencyLimits) {
        self.ceiling = max(1, ceiling)
        self.isRoute = isRoute
        allowance = min(max(1, limits.connectionsFirst), self.ceiling)
    }

    package var isInUse: Bool { open + opening > 0 }

    package func permission(now: Timestamp) -> Permission {
        switch health {
        case .living: return open + opening < allowance ? .open(.living) : .enough
        case .unknown: return open + opening == 0 ? .open(.unknown) : .enough
        case .dead(let until, _):
            if open + opening > 0 { return .enough }
            return now < until ? .resting(until: until) : .open(.probe)
        }
    }

    package mutating func openingBegan() { opening += 1 }

    package mutating func opened() {
        opening -= 1
        open += 1
        health = .living
    }

    /// No host of the site took the connection.
    ///
    /// - Parameter spoke: a host took the connection and refused us by a reply.
    /// - Returns: whether the site is dead now. While other connections stand it is not: the site has had
    ///   enough of us.
    package mutating func openingFailed(
        spoke: Bool = false, now: Timestamp, limits: ConcurrencyLimits,
        using random: inout some RandomNumberGenerator
    ) -> Bool {
        opening -= 1
        if open > 0 {
            allowance = max(1, open)
            growsFrom = now + limits.siteGrowthPause
            return false
        }
        rest(spoke: spoke, now: now, limits: limits, using: &random)
        return true
    }

    /// The connection was given up before it failed or stood, because we stop or nobody waits for it any
    /// more.
    package mutating func openingAbandoned() { opening -= 1 }

    package mutating func closed() { open -= 1 }

    /// A message was taken, or refused for reasons of its own: the site works.
    package mutating func answered(now: Timestamp) {
        guard case .living = health else { return }
        if allowance < ceiling && now >= growsFrom { allowance += 1 }
    }

    /// The site takes nothing from us for now.
    ///
    /// - Parameter spoke: it said so. A route that says no is not asked again after a second: it may count
    ///   how often a password was wrong.
    package mutating func rest(
        spoke: Bool = true, now: Timestamp, limits: ConcurrencyLimits,
        using random: inout some RandomNumberGenerator
    ) {
        var failures = 1
        if case .dead(_, let before) = health { failures = before + 1 }
        let first = isRoute && !spoke ? limits.routeRestFirst : limits.siteRestFirst
        let wait = min(first * (1 << min(failures - 1, 16)), limits.siteRestLongest)
        health = .dead(until: now + wait * Double.random(in: 0.8...1.2, using: &random), failures: failures)
        allowance = min(max(1, limits.connectionsFirst), ceiling)
    }

    /// An operator wants it tried now.
    package mutating func endRest(now: Timestamp) {
        if case .dead(_, let failures) = health { health = .dead(until: now, failures: failures) }
    }
}
