internal import Cryptography
package import MailValues
package import SMTPProtocol
internal import Synchronization

/// Carries the server's side of SASL: PLAIN, LOGIN, SCRAM-SHA-256, SCRAM-SHA-256-PLUS and EXTERNAL.
///
/// One for the whole node, called from all lanes. It keeps no password, and none reaches a log from here.
package final class Authenticator: Sendable {
    struct Memory: Sendable {
        var failures: FailureLimiter
        var passwords: PasswordMemory
    }

    let settings: AuthenticationSettings
    let workers: any PasswordWorkers
    let memory: Mutex<Memory>
    private let table: Mutex<AccountTable>
    private let serverSecret: [UInt8]

    /// - Parameters:
    ///   - serverSecret: what the salts of made-up names come from; the same after a restart and on all
    ///     nodes, at least 16 octets, or names that exist could be told from others.
    ///   - workers: where passwords are digested.
    package init(
        accounts: AccountTable, settings: AuthenticationSettings = AuthenticationSettings(),
        serverSecret: [UInt8],
        workers: any PasswordWorkers
    ) {
        precondition(serverSecret.count >= 16, "a short secret could be guessed")
        self.settings = settings
        self.workers = workers
        self.serverSecret = serverSecret
        table = Mutex(accounts)
        var random = SecureRandom()
        let passwords = PasswordMemory(secret: random.octets(count: 32), settings: settings)
        memory = Mutex(Memory(failures: FailureLimiter(settings), passwords: passwords))
    }

    /// From here on these accounts count; who has logged in is asked about by `isGood`.
    package func adopt(_ accounts: AccountTable) { table.withLock { $0 = accounts } }

    /// Whether a login is still one under the accounts of now: neither is the account gone, nor its password another.
    package func isGood(
        login account: String, _ session: inout AuthenticationSession, facts: ConnectionFacts
    ) -> Bool {
        let now = accounts
        guard session.accounts !== now else { return true }
        if session.isByCertificate {
            guard let tls = facts.tls, now.account(for: tls) == account else { return false }
        } else {
            guard let name = PreparedName(account), let verifier = now[name]?.verifier,
                verifier == session.accounts?[name]?.verifier
            else { return false }
        }
        session.accounts = now
        return true
    }

    var accounts: AccountTable { table.withLock { $0 } }

    func verifier(for name: PreparedName) -> ScramVerifier {
        accounts.verifier(for: name, secret: serverSecret)
    }

    /// One step of an exchange.
    ///
    /// - Parameters:
    ///   - facts: of this connection, TLS included.
    ///   - reply: called once, on `lane`, if this returns nil.
    /// - Returns: the answer, or nil if it comes later.
    package func step(
        _ step: AuthenticationStep, session: inout AuthenticationSession, facts: ConnectionFacts,
        now: Timestamp,
        lane: any Lane, reply: @escaping @Sendable (Answer) -> Void
    ) -> Answer? {
        let state = session.state
        session.state = .idle
        switch step {
        case .cancelled: return AuthenticationReplies.cancelled
        case .begin(let mechanism, let initial):
            // Before the password is looked at: a login under accounts that changed meanwhile is no login.
            session.accounts = accounts
            session.isByCertificate = mechanism == "EXTERNAL"
            session.forgetClaim()
            return begin(mechanism, initial, &session, facts, now, Later(lane: lane, reply: reply))
        case .response(let octets):
            session.state = state
            return respond(octets, &session, facts, now, Later(lane: lane, reply: reply))
        }
    }

    /// The way back to the session for an answer that takes time.
    struct Later: Sendable {
        let lane: any Lane
        let reply: @Sendable (Answer) -> Void
    }

    private func begin(
        _ mechanism: String, _ initial: [UInt8]?, _ session: inout AuthenticationSession,
        _ facts: ConnectionFacts,
        _ now: Timestamp, _ later: Later
    ) -> Answer? {
        switch mechanism {
        case "PLAIN": session.state = .awaitingPlain
        case "LOGIN": session.state = .awaitingLoginName
        case "SCRAM-SHA-256": session.state = .awaitingScramFirst(isPlus: false)
        case "SCRAM-SHA-256-PLUS": session.state = .awaitingScramFirst(isPlus: true)
        case "EXTERNAL": session.state = .awaitingExternal
        default: return AuthenticationReplies.unknownMechanism
        }
        if let initial { return respond(initial, &session, facts, now, later) }
        // An empty challenge where the client speaks first (RFC 4954 §4); LOGIN was never written down, but
        // all wait for this.
        return .challenge(mechanism == "LOGIN" ? Array("Username:".utf8) : [])
    }

    private func respond(
        _ octets: [UInt8], _ session: inout AuthenticationSession, _ facts: ConnectionFacts, _ now: Timestamp,
        _ later: Later
    ) -> Answer? {
        let state = session.state
        session.state = .idle
        switch state {
        case .idle, .verifying:
            return AuthenticationReplies.outOfOrder
        case .awaitingPlain:
            guard let message = PlainMessage(octets) else { return AuthenticationReplies.malformed }
            session.state = .verifying
            session.claim(message.name)
            return check(message, facts, now, later)
        case .awaitingLoginName:
            guard let name = String(validating: octets, as: UTF8.self), !name.isEmpty,
                octets.count <= ScramLimits.nameOctets
            else { return AuthenticationReplies.malformed }
            session.state = .awaitingLoginPassword(name: name)
            session.claim(name)
            return .challenge(Array("Password:".utf8))
        case .awaitingLoginPassword(let name):
            guard let message = PlainMessage(Array("\0\(name)\0".utf8) + octets) else {
                return AuthenticationReplies.malformed
            }
            session.state = .verifying
            return check(message, facts, now, later)
        case .awaitingScramFirst(let isPlus):
            return beginScram(octets, isPlus: isPlus, &session, facts, now)
        case .awaitingScramFinal(let exchange, let name):
            return finishScram(octets, exchange, name, &session, facts, now)
        case .awaitingScramEnd(let name):
            return octets.isEmpty ? .authenticated(account: name.text) : AuthenticationReplies.malformed
        case .awaitingExternal:
            return checkCertificate(octets, &session, facts)
        }
    }

    private func checkCertificate(
        _ octets: [UInt8], _ session: inout AuthenticationSession, _ facts: ConnectionFacts
    ) -> Answer {
        guard let asked = String(validating: octets, as: UTF8.self) else {
            return AuthenticationReplies.malformed
        }
        session.claim(asked)
        guard let tls = facts.tls, let account = accounts.account(for: tls) else {
            return AuthenticationReplies.wrong
        }
        // RFC 4422 appendix A: no name means "whoever the certificate says".
        guard asked.isEmpty || PreparedName(asked)?.text == account else {
            return AuthenticationReplies.wrong
        }
        return .authenticated(account: account)
    }
}
