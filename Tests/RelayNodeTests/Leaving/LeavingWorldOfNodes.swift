import DNSRecords
import Delivery
import Glibc
import MailValues
import QueueEngine
import QueueStorage
import SMTPProtocol
import Synchronization
import TestSupport
import Testing

@testable import RelayNode

/// Nodes of one cluster, what they were given, and what hosts outside took from them.
final class LeavingWorldOfNodes: Sendable {
    let folder: String
    let link: LeavingLink
    let dialer: ScriptedDialer
    private let all = Mutex<[LeavingNode]>([])
    private let samples = Mutex<[QueueID: SampleMessage]>([:])

    init(_ count: UInt8, _ weather: LeavingLink.Weather = LeavingLink.Weather()) throws {
        var name = Array("/tmp/chappe-leaving-XXXXXX".utf8CString)
        try #require(mkdtemp(&name) != nil)
        folder = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        link = LeavingLink(weather)
        // `later.example` is never in the mood; everybody else takes what comes.
        dialer = ScriptedDialer(answering: { transaction, _, _ in
            let isLater = transaction.recipients.contains { $0.mailbox.domain.name == "later.example" }
            return isLater
                ? .allRefused(
                    transaction, Reply(451, EnhancedStatus(4, 7, 1), "Later"), command: "RCPT",
                    connectionUsable: true)
                : .allTaken(transaction)
        })
        all.withLock { $0 = (1...count).map { LeavingNode($0, in: self) } }
    }

    deinit { Self.remove(folder) }

    var nodes: [LeavingNode] { all.withLock { $0 } }
    var accepted: [QueueID: SampleMessage] { samples.withLock { $0 } }

    let resolver = ZoneResolver { zone in
        for (number, name) in ["later.example", "taken.example"].enumerated() {
            zone.mx[name] = [MXRecord(preference: 10, exchange: "mx.\(name)")]
            zone.addresses["mx.\(name)"] = [IPAddress("192.0.2.\(number + 1)")!]
        }
    }

    var delivery: DeliverySettings {
        DeliverySettings(
            hostName: Domain("relay.ours.example"),
            postmaster: Mailbox(localPart: "postmaster", domain: Domain("ours.example"))
        ) { $0.isPubliclyDialable }
    }

    /// Messages of every kind, put into a node's queue.
    func fill(_ node: LeavingNode, _ numbers: Range<Int>, due: Duration = .seconds(3600)) async {
        for number in numbers {
            let message = SampleMessage(number, due: WallClock.now() + due)
            samples.withLock { $0[message.envelope.id] = message }
            await node.accept(message)
        }
    }

    /// Waits until it is so, and fails after a while.
    func until(
        _ what: String, seconds: Int = 60, _ isSo: () -> Bool
    ) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while !isSo() {
            guard ContinuousClock.now < end else {
                Issue.record("not \(what): \(nodes.map(\.progress))")
                throw Late()
            }
            await Task.yield()
        }
    }

    struct Late: Error {}

    // MARK: Promises

    /// How often each message was delivered outside.
    var delivered: [QueueID: Int] {
        var counts: [QueueID: Int] = [:]
        for delivery in dialer.deliveries {
            guard
                !delivery.transaction.recipients.contains(where: { $0.mailbox.domain.name == "later.example" }
                ),
                let id = SampleMessage.id(in: delivery.content)
            else { continue }
            counts[id, default: 0] += 1
        }
        return counts
    }

    /// Every message has one owner among the nodes, or was delivered; it is as it was.
    ///
    /// - Parameter leaver: has left: what lies there bears marks alone, and is no longer its own.
    func check(leaver: LeavingNode? = nil) throws {
        var owners: [QueueID: Int] = delivered
        for (id, count) in owners where count > 1 { Issue.record("\(id) was delivered \(count) times") }
        var marked: Set<QueueID> = []
        for node in nodes where node.isUp {
            let holdings = try node.holdings()
            if node === leaver {
                #expect(holdings.own.isEmpty)
            } else {
                marked.formUnion(holdings.marked.keys)
            }
            for (id, envelope) in holdings.own {
                owners[id, default: 0] += 1
                guard let sample = accepted[id] else {
                    Issue.record("\(id) is nobody's message")
                    continue
                }
                try sample.check(envelope, content: node.content(of: envelope))
            }
        }
        // Offered and not taken yet: it is its leaver's.
        for id in marked where owners[id] == nil { owners[id] = 1 }
        for id in accepted.keys where owners[id] != 1 {
            Issue.record("\(id) has \(owners[id] ?? 0) owners")
        }
    }

    func stopAll() async { for node in nodes { await node.stop() } }

    private static func remove(_ path: String) {
        for entry in names(in: path) { remove("\(path)/\(entry)") }
        if rmdir(path) != 0 { unlink(path) }
    }
}

/// A message whose every part can be told again.
struct SampleMessage: Sendable {
    let number: Int
    var envelope: Envelope
    var content: [[UInt8]]

    init(_ number: Int, due: Timestamp) {
        self.number = number
        let at = WallClock.now()
        let id = QueueID(at: at, entropyHigh: UInt16(truncatingIfNeeded: number), entropyLow: UInt64(number))
        let isLarge = number % 25 == 7
        var content = [Array("Message-ID: \(id)\r\n\r\n".utf8)]
        let filler = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: number % 7 * 1_000)
        if isLarge {
            content += [filler, [UInt8](repeating: 1, count: 20_000)]
        } else {
            content[0] += filler
        }
        var recipients = [Recipient(mailbox: Mailbox(localPart: "a", domain: Domain("taken.example")))]
        recipients[0].progress.nextAttempt = due
        if number % 3 == 0 {
            // Done for one, tried for the other.
            recipients[0].progress.state = .delivered
            recipients[0].progress.attempts = 1
            recipients.append(Recipient(mailbox: Mailbox(localPart: "b", domain: Domain("taken.example"))))
            recipients[1].progress.attempts = 3
            recipients[1].progress.nextAttempt = due
            recipients[1].progress.lastReply = Reply(451, EnhancedStatus(4, 7, 1), "Later")
            recipients[1].progress.lastHost = "mx.taken.example"
        }
        var envelope = Envelope(
            id: id, acceptedAt: at, reversePath: number % 4 == 0 ? .null : .mailbox(recipients[0].mailbox),
            recipients: recipients, sizeOctets: content.reduce(0) { $0 + $1.count },
            origin: Envelope.Origin(listener: "mx"))
        if isLarge { envelope.chunkCount = UInt32(content.count) }
        if number % 11 == 5 {
            envelope.hold = Envelope.Hold(by: "operator:0", reason: "as the test wants", since: at)
        }
        self.envelope = envelope
        self.content = content.filter { !$0.isEmpty }
        if isLarge { self.envelope.chunkCount = UInt32(self.content.count) }
    }

    static func id(in content: [UInt8]) -> QueueID? {
        let text = String(decoding: content.prefix(80), as: UTF8.self)
        guard let line = text.split(separator: "\r\n").first else { return nil }
        return QueueID(String(line.dropFirst("Message-ID: ".count)))
    }

    func check(_ found: Envelope, content: [[UInt8]]) {
        var plain = found
        plain.adopted = nil
        #expect(plain == envelope)
        #expect(content == self.content)
    }
}
