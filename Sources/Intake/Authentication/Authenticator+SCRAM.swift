internal import Cryptography
internal import MailValues
internal import SMTPProtocol
internal import Synchronization

/// SCRAM: the client digests, we compare (RFC 5802).
extension Authenticator {
    func beginScram(
        _ octets: [UInt8], isPlus: Bool, _ session: inout AuthenticationSession, _ facts: ConnectionFacts,
        _ now: Timestamp
    ) -> Answer {
        do throws(ScramError) {
            let first = try ScramClientFirst(parsing: octets)
            session.claim(first.name)
            guard let name = PreparedName(first.name) else { throw .badName }
            if let other = first.authorizationName, PreparedName(other) != name { throw .badName }
            let exporter = facts.tls?.exporter ?? []
            var random = SecureRandom()
            let exchange = try ScramServer(
                first, verifier: verifier(for: name),
                binding: ScramServer.Binding(
                    isPlus: isPlus, wasOffered: settings.offersChannelBinding && !exporter.isEmpty,
                    exporter: exporter),
                entropy: random.octets(count: ScramServer.nonceOctets))
            session.state = .awaitingScramFinal(exchange, name: name)
            return .challenge(exchange.firstMessage)
        } catch {
            return refusal(for: error, FailureLimiter.Attempt(from: facts.client, account: nil), now)
        }
    }

    func finishScram(
        _ octets: [UInt8], _ exchange: ScramServer, _ name: PreparedName,
        _ session: inout AuthenticationSession,
        _ facts: ConnectionFacts, _ now: Timestamp
    ) -> Answer {
        let attempt = FailureLimiter.Attempt(from: facts.client, account: name)
        // Before the proof is looked at: past the limit nobody learns whether it was right.
        guard memory.withLock({ $0.failures.charge(attempt, now: now) }) else {
            return AuthenticationReplies.tooManyFailures
        }
        do throws(ScramError) {
            let final = try exchange.finalMessage(answering: octets)
            memory.withLock {
                $0.failures.refund(attempt, now: now)
                $0.failures.succeeded(attempt)
            }
            session.state = .awaitingScramEnd(name: name)
            return .challenge(final)
        } catch {
            // Charged already.
            return error == .malformed ? AuthenticationReplies.malformed : AuthenticationReplies.wrong
        }
    }

    private func refusal(for error: ScramError, _ attempt: FailureLimiter.Attempt, _ now: Timestamp) -> Answer
    {
        guard memory.withLock({ $0.failures.charge(attempt, now: now) }) else {
            return AuthenticationReplies.tooManyFailures
        }
        switch error {
        case .malformed, .extensionRequired: return AuthenticationReplies.malformed
        case .badName, .channelBindingMismatch, .nonceMismatch, .badProof, .badIterations, .serverRefused,
            .badServerSignature:
            return AuthenticationReplies.wrong
        }
    }
}
