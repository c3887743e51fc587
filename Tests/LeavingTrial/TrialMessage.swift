import Glibc
import MailValues
import QueueEngine
import SMTPProtocol

/// A message whose number is in its id and in its sender.
enum TrialMessage {
    /// Every one of so many is due at once, and is taken by whoever is asked.
    static let dueEvery = 50

    static func make(_ number: Int, octets: Int, isDue: Bool? = nil) -> NewMessage {
        let now = TrialClock.now
        var recipient = Recipient(mailbox: Mailbox(localPart: "rcpt", domain: Domain("taken.example")))
        if !(isDue ?? (number % dueEvery == 0)) {
            recipient.progress.attempts = 1
            recipient.progress.nextAttempt = now + .seconds(3600 + number % 3600)
        }
        let envelope = Envelope(
            id: QueueID(at: now, entropyHigh: 1, entropyLow: UInt64(number)), acceptedAt: now,
            reversePath: .mailbox(Mailbox(localPart: "n\(number)", domain: Domain("from.example"))),
            recipients: [recipient], sizeOctets: octets, origin: Envelope.Origin(listener: "mx"))
        // Octets that no compression shrinks.
        var random = UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15 | 1
        var content: [UInt8] = []
        content.reserveCapacity(octets + 8)
        while content.count < octets {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            withUnsafeBytes(of: random) { content.append(contentsOf: $0) }
        }
        return NewMessage(envelope: envelope, content: [Array(content.prefix(octets))])
    }
}

enum TrialClock {
    static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Seconds of processor time that this process has used.
    static var cpu: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

final class TrialLane: Lane {
    func run(_ job: @escaping @Sendable () -> Void) { job() }
}
