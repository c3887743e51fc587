import MailValues

/// Why a host did not take mail, in its own words or in ours.
struct HostFailure: Equatable, Sendable {
    var reply: Reply
    /// With whom it happened; nil: nobody was reached, or no attempt was made.
    var host: String?
    /// The host said nothing of the kind: `reply` is ours, about it.
    var isOurWord: Bool
}
