internal import Cryptography
internal import MailValues
internal import SMTPProtocol
internal import Synchronization

/// PLAIN and LOGIN: the password itself comes, and is digested away from the event loop.
extension Authenticator {
    /// The answer, or nil if a worker will give it.
    func check(_ message: PlainMessage, _ facts: ConnectionFacts, _ now: Timestamp, _ later: Later) -> Answer?
    {
        let name = PreparedName(message.name)
        let attempt = FailureLimiter.Attempt(from: facts.client, account: name)
        guard let name, let password = OpaqueString(message.password),
            // RFC 4616 §2: nobody here acts for somebody else.
            message.authorization.isEmpty || PreparedName(message.authorization) == name
        else {
            let isBorne = memory.withLock { $0.failures.charge(attempt, now: now) }
            return isBorne ? AuthenticationReplies.wrong : AuthenticationReplies.tooManyFailures
        }
        let verifier = verifier(for: name)
        let (known, key) = recall(name, password, verifier, attempt, now)
        switch known {
        case .right: return .authenticated(account: name.text)
        case .wrong: return AuthenticationReplies.wrong
        case .refused: return AuthenticationReplies.tooManyFailures
        case .unknown: break
        }
        let isTaken = workers.submit { [self] in
            let isRight = verifier.accepts(password: password.octets)
            settle(key, attempt, isRight: isRight, now)
            let answer = isRight ? Answer.authenticated(account: name.text) : AuthenticationReplies.wrong
            later.lane.run { later.reply(answer) }
        }
        guard !isTaken else { return nil }
        memory.withLock { $0.failures.refund(attempt, now: now) }
        return AuthenticationReplies.busy
    }

    private enum Recollection { case right, wrong, refused, unknown }

    /// What is known already. If nothing is, the failure is charged: see `FailureLimiter`.
    private func recall(
        _ name: PreparedName, _ password: OpaqueString, _ verifier: ScramVerifier,
        _ attempt: FailureLimiter.Attempt,
        _ now: Timestamp
    ) -> (Recollection, PasswordMemory.Key) {
        memory.withLock { memory in
            let key = memory.passwords.key(name, password, verifier)
            if let isRight = memory.passwords.isRight(key, now: now) {
                guard isRight else { return (.wrong, key) }
                // Who has guessed too often must not learn that this guess is the one we remember.
                return (memory.failures.bears(attempt, now: now) ? .right : .refused, key)
            }
            return (memory.failures.charge(attempt, now: now) ? .unknown : .refused, key)
        }
    }

    private func settle(
        _ key: PasswordMemory.Key, _ attempt: FailureLimiter.Attempt, isRight: Bool, _ now: Timestamp
    ) {
        memory.withLock { memory in
            memory.passwords.remember(key, isRight: isRight, now: now)
            guard isRight else { return }
            memory.failures.refund(attempt, now: now)
            memory.failures.succeeded(attempt)
        }
    }
}
