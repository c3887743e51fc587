import MailValues
import MessageFormat
import QueueEngine
import SMTPProtocol

/// What an attempt's results make of an entry: progress to record, when it goes on, who is told.
struct Settlement {
    private(set) var progress: [(index: Int, progress: Recipient.Progress)] = []
    /// When the entry is tried again; nil: it is done.
    private(set) var nextAttempt: Timestamp?
    private(set) var reported: [DeliveryReport.Recipient] = []
    private(set) var deliveredCount = 0
    private(set) var deferredCount = 0
    private(set) var bouncedCount = 0
    private(set) var expiredCount = 0
    /// The sender hears of delay with this settlement.
    private(set) var tellsOfDelay = false

    /// - Parameters:
    ///   - notAfter: when its route is looked at again; the schedule may say sooner.
    ///   - mayReport: false where the store takes no new message, a report neither: whoever had to be told of
    ///   a failure is tried again instead, since a failure without a report would be a loss.
    ///   - isFinalDelivery: the next hop is the mailbox (LMTP), and not another relay.
    init(
        of envelope: Envelope, results: [RecipientResult], now: Timestamp, schedule: RetrySchedule,
        failures: Int, notAfter: Timestamp? = nil,
        mayReport: Bool = true, isFinalDelivery: Bool = false, random: inout some RandomNumberGenerator
    ) {
        let deadline = schedule.deadline(of: envelope)
        let scheduled = now + schedule.wait(afterFailures: failures + 1, using: &random)
        let next = min(scheduled, max(min(notAfter ?? deadline, deadline), now + .seconds(1)))
        let hasSender = envelope.reversePath != .null
        if let noticeAt = schedule.noticeAt(of: envelope), now >= noticeAt, now < deadline {
            tellsOfDelay = mayReport
        }
        for result in results {
            let recipient = envelope.recipients[result.index]
            var progress = recipient.progress
            progress.attempts += 1
            progress.lastAttempt = now
            progress.lastReply = result.reply
            progress.lastHost = result.host
            progress.nextAttempt = nil
            let isOver = result.kind == .bounced || (result.kind == .deferred && now >= deadline)
            if result.kind == .delivered {
                progress.state = .delivered
                deliveredCount += 1
                if mayReport && hasSender && !result.peerReports && recipient.wants(.success) {
                    reported.append(
                        recipient.line(
                            result, isFinalDelivery ? .delivered : .relayed, status: EnhancedStatus(2, 0, 0),
                            now: now))
                }
            } else if isOver && (mayReport || !hasSender || !recipient.wants(.failure)) {
                progress.state = .bounced
                bouncedCount += 1
                if result.kind == .deferred { expiredCount += 1 }
                if hasSender && recipient.wants(.failure) {
                    // RFC 3463 §3.5: X.4.7, the time for delivery is over; the reply says what kept it.
                    let expired = EnhancedStatus(5, 4, 7)
                    let status =
                        result.kind == .deferred ? expired : result.reply.enhanced ?? EnhancedStatus(5, 0, 0)
                    reported.append(recipient.line(result, .failed, status: status, now: now))
                }
            } else {
                progress.nextAttempt = next
                nextAttempt = next
                deferredCount += 1
                if tellsOfDelay && result.kind == .deferred && recipient.wants(.delay) {
                    var line = recipient.line(
                        result, .delayed, status: result.reply.enhanced ?? EnhancedStatus(4, 0, 0), now: now)
                    line.retriedUntil = deadline
                    reported.append(line)
                }
            }
            self.progress.append((result.index, progress))
        }
        if deferredCount == 0 { tellsOfDelay = false }
    }
}

extension Recipient {
    /// Whether the sender wants to hear of this (RFC 3461 §4.1). Without NOTIFY: of failure and delay.
    func wants(_ occasion: DSNNotify) -> Bool {
        guard let notify else { return occasion != .success }
        return !notify.contains(.never) && notify.contains(occasion)
    }

    fileprivate func line(
        _ result: RecipientResult, _ action: DeliveryReport.Action, status: EnhancedStatus, now: Timestamp
    ) -> DeliveryReport.Recipient {
        DeliveryReport.Recipient(
            mailbox: mailbox, originalRecipient: originalRecipient, action: action, status: status,
            remoteHost: result.host, reply: result.reply, isOurWord: result.isOurWord, lastAttempt: now)
    }
}
