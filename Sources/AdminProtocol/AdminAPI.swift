/// What both ends of the admin socket agree on.
package enum AdminAPI {
    /// Stands as `schema` in every body. A field may be added under the same number; one that changes its
    /// meaning or goes raises it.
    package static let schema = 1

    package static let root = "/v1"
    package static let socketPath = "/run/chappe/admin.sock"
    /// Entries of one page of `queue ls`.
    package static let pageLimitDefault = 100
    package static let pageLimitLongest = 10_000
    /// Octets of a request's body.
    package static let requestOctets = 128 << 10
    /// Seconds for which strangers may be let knock: a week.
    package static let doorSecondsLongest = 7 * 24 * 3600
    /// Octets of a reason, which goes into events and holds.
    package static let reasonOctets = 500
}
