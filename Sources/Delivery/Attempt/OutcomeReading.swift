import MailValues
import SMTPProtocol

/// What a transaction's outcome means for each recipient, and for what comes next.
struct OutcomeReading: Equatable {
    enum Next: Equatable {
        /// The connection may serve again, or may not; these recipients are settled.
        case settled
        /// An old connection had gone stale: the rest goes over a new one, to the same host.
        case newConnection
        /// This host will not have the rest now: the next one is asked. If all say so, the site rests.
        case nextHost(HostFailure)
        /// This host takes mail, but has no room for this message now: the next one is asked, within
        /// `DeliverySettings.hostsPerAttempt`.
        case otherHost(HostFailure)
    }

    var results: [RecipientResult] = []
    /// Not tried for want of room in the transaction: they go in another one at once (RFC 5321 §4.5.3.1.10).
    var again: [Int] = []
    /// Not settled: they go where `next` says.
    var unsettled: [Int] = []
    var next = Next.settled
    /// The final dot may have arrived and no reply came: a further attempt may be a duplicate.
    var possibleDuplicates = 0

    /// - Parameters:
    ///   - indices: the recipients' places in the envelope, in the order of the transaction.
    ///   - isReused: the connection had carried a message before.
    ///   - hasCredentials: the route has us log in, so that "authentication required" is our own fault.
    init(
        _ outcome: TransactionOutcome, indices: [Int], host: String, isReused: Bool, hasCredentials: Bool,
        peerReports: Bool
    ) {
        precondition(
            outcome.recipients.count == indices.count, "a transaction answers for each of its recipients")
        let someoneWasTaken = outcome.recipients.contains { !$0.isTooMany }
        for (index, recipient) in zip(indices, outcome.recipients) {
            switch recipient {
            case .delivered(let reply):
                results.append(
                    RecipientResult(
                        index: index, kind: .delivered, reply: reply, host: host, peerReports: peerReports))
            case .refused(let reply, _) where reply.code == 421:
                // RFC 5321 §3.8: the host closes. Over an old connection that is how some end it; a new one
                // may do. At once on a new one, the host is not there for us, and another of its rank may be.
                unsettled.append(index)
                next =
                    isReused
                    ? .newConnection : .nextHost(HostFailure(reply: reply, host: host, isOurWord: false))
            case .refused where recipient.isTooMany && someoneWasTaken:
                again.append(index)
            case .refused(let reply, _) where recipient.isAboutHost:
                unsettled.append(index)
                next = .otherHost(HostFailure(reply: reply, host: host, isOurWord: false))
            case .refused(let reply, _):
                // Any other 4yz is an answer about this message or recipient (greylisting, full mailbox): the
                // other hosts would say the same, and asking them all at once is what floods look like.
                let isOurFault = hasCredentials && [530, 534, 535, 538].contains(reply.code)
                let isPermanent = reply.isPermanent && !recipient.isTooMany && !isOurFault
                results.append(
                    RecipientResult(
                        index: index, kind: isPermanent ? .bounced : .deferred, reply: reply, host: host))
            case .lost(let detail, let afterDot):
                let reply = Reply(
                    451, EnhancedStatus(4, 4, 2), "Connection lost: \(detail.printable(limit: 200))")
                if afterDot {
                    // RFC 1047: the peer may have it. Another host at once would make the duplicate certain;
                    // later, this one may know.
                    possibleDuplicates += 1
                    results.append(
                        RecipientResult(
                            index: index, kind: .deferred, reply: reply, host: host, isOurWord: true))
                } else {
                    unsettled.append(index)
                    next =
                        isReused
                        ? .newConnection : .nextHost(HostFailure(reply: reply, host: host, isOurWord: true))
                }
            }
        }
    }
}

extension TransactionOutcome.RecipientOutcome {
    /// "Too many recipients": 452, or from old servers 552, to RCPT (RFC 5321 §4.5.3.1.10).
    fileprivate var isTooMany: Bool {
        guard case .refused(let reply, let command) = self, !isAboutHost else { return false }
        return (reply.code == 452 || reply.code == 552) && command.uppercased().hasPrefix("RCPT")
    }

    /// A 4yz by which the host speaks of itself, so that another one may take the message (RFC 5321 §5.1):
    /// X.3.z, the status of the mail system (RFC 3463 §3.4), but for 4.3.4, which is about the message; of
    /// those without an enhanced status 452, "insufficient system storage" (RFC 5321 §4.2.3), other than to
    /// RCPT, where it means too many recipients. A bare 451 is said by greylisting as often as by a host in
    /// trouble, so it is not believed to be about the host.
    fileprivate var isAboutHost: Bool {
        guard case .refused(let reply, let command) = self, (400...499).contains(reply.code) else {
            return false
        }
        guard let status = reply.enhanced else {
            return reply.code == 452 && !command.uppercased().hasPrefix("RCPT")
        }
        return status.statusClass == 4 && status.subject == 3 && status.detail != 4
    }
}

extension DialError {
    /// Why no session came about, as a reply of our own, or the peer's.
    var reply: Reply {
        switch self {
        case .notConnected(let detail):
            Reply(451, EnhancedStatus(4, 4, 1), "No connection: \(detail.printable(limit: 200))")
        case .refused(let reply, _): reply
        case .tlsNotOffered: Reply(451, EnhancedStatus(4, 7, 4), "Host offers no TLS, and TLS is required")
        case .tlsFailed(let detail):
            Reply(451, EnhancedStatus(4, 7, 5), "TLS failed: \(detail.printable(limit: 200))")
        case .broken(let detail):
            Reply(451, EnhancedStatus(4, 4, 2), "Broken off: \(detail.printable(limit: 200))")
        }
    }

    /// The reply is the host's own.
    var isAnswer: Bool { if case .refused = self { true } else { false } }

    /// The host said that it takes no mail at all (RFC 7504 §3): if all say so, the message is returned.
    ///
    /// Any other 5yz in a greeting is deferred: hosts greet with 554 when a list has us for an hour, and
    /// Postfix waits too (smtp_skip_5xx_greeting). The sender hears of it by the notice of delay.
    var saysNoMailEver: Bool {
        guard case .refused(let reply, _) = self else { return false }
        return reply.code == 521 || reply.code == 556
    }
}
