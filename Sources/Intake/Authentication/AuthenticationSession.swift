internal import Cryptography
internal import MailValues

/// Where one session stands in its SASL exchange. It lives on the session's lane.
package struct AuthenticationSession: Sendable {
    enum State: Sendable {
        case idle
        case awaitingPlain
        case awaitingLoginName
        case awaitingLoginPassword(name: String)
        case awaitingScramFirst(isPlus: Bool)
        case awaitingScramFinal(ScramServer, name: PreparedName)
        /// The final message went as a challenge; the client answers with nothing (RFC 4954 §4).
        case awaitingScramEnd(name: PreparedName)
        case awaitingExternal
        /// The answer comes later.
        case verifying
    }

    var state = State.idle
    /// The accounts when the exchange began, and whether a certificate spoke in it: what its login rests on.
    var accounts: AccountTable?
    var isByCertificate = false
    /// Who the client says it is, for the events: printable, and no longer than `claimOctets`.
    private(set) var claim: String?

    private static let claimOctets = 64

    mutating func claim(_ name: some StringProtocol) {
        claim = name.isEmpty ? nil : name.printable(limit: Self.claimOctets)
    }

    mutating func forgetClaim() { claim = nil }

    package init() {}
}
