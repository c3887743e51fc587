import Cryptography
import Filtering
import Intake
import MailValues
import MessageFormat
import QueueEngine
import Reputation
import RoutingPolicy
import SMTPProtocol
import Synchronization
import Telemetry

/// One message through intake, from MAIL to the 250: no socket, and a queue that says yes at once.
///
/// The baseline has no gate. What the gate adds is counting; what verdicts add is reading the message for its
/// fingerprints, once as plain text of 4 KiB and once with a file of 8 KiB beside it.
enum IntakeBenchmark {
    private static let messages = 20_000
    private static let now = Timestamp(seconds: 1_790_000_000)

    static func run(rounds: Int) -> Comparison {
        let text = plain(octets: 4096)
        let file = withFile(octets: 8192)
        return Comparison(
            baseline: measure("intake, no gate", rounds, text, gate: nil, .off),
            parts: [
                measure("gate", rounds, text, gate: CountingGate(), .off),
                measure("gate, verdicts", rounds, text, gate: CountingGate(), .reject),
                measure("with file, no gate", rounds, file, gate: nil, .off),
                measure("with file, verdicts", rounds, file, gate: CountingGate(), .reject),
            ])
    }

    private static func measure(
        _ name: String, _ rounds: Int, _ content: [UInt8], gate: (any IntakeGate)?, _ verdicts: VerdictRule
    ) -> Measurement {
        let flow = flow(gate: gate, verdicts)
        return Measurement(name, rounds: rounds, operations: messages) {
            let client = IPAddress("192.0.2.1")!
            let facts = ConnectionFacts(
                session: 1, client: client, clientPort: 4000, local: client, localPort: 25)
            let receiver = flow.receiver(for: facts, listener: "mx")
            let asker = Asker()
            _ = receiver.ask(.connection, ticket: 0, asker: asker)
            for _ in 0..<messages { send(content, to: receiver, asker) }
            receiver.disconnected()
            precondition(asker.taken == messages, "each message was taken")
        }
    }

    private static func send(_ content: [UInt8], to receiver: any MailReceiver, _ asker: Asker) {
        let mail = MailCommand(
            reversePath: .mailbox(Mailbox(localPart: "a", domain: Domain("sender.example"))))
        let recipient = RecipientCommand(
            mailbox: Mailbox(localPart: "b", domain: Domain("receiver.example")),
            rawPath: Array("b@receiver.example".utf8))
        _ = receiver.ask(.mail(mail), ticket: 1, asker: asker)
        _ = receiver.ask(.recipient(recipient), ticket: 2, asker: asker)
        receiver.beginMessage()
        _ = receiver.content(content, asker: asker)
        _ = receiver.ask(.endOfMessage(MessageFacts(sizeOctets: content.count)), ticket: 3, asker: asker)
    }

    private static func flow(gate: (any IntakeGate)?, _ verdicts: VerdictRule) -> IntakeFlow {
        let hostname = Domain("relay.example")
        let postmaster = Mailbox(localPart: "postmaster", domain: hostname)
        var relay = RelaySettings(hostname: hostname, postmaster: postmaster)
        relay.relayDomains = [RelayDomain("receiver.example", recipients: .any)]
        var listener = IntakePolicy.Listener(kind: .mx)
        listener.reputation = gate == nil ? .off : .slow
        listener.verdicts = verdicts
        let policy = IntakePolicy(
            hostname: hostname, relay: RelayPolicy(relay), listeners: ["mx": listener],
            headerRules: HeaderRules(authenticationServiceIDs: [hostname.name]),
            sessionLimits: SessionCensus.Limits())
        let authenticator = Authenticator(
            accounts: AccountTable([]), serverSecret: [UInt8](repeating: 1, count: 32), workers: NoWorkers())
        var random = SystemRandomNumberGenerator()
        return IntakeFlow(
            policy: policy, store: YesQueue(), feed: NoFeed(), events: NoEvents(), metrics: NodeMetrics(),
            authenticator: authenticator, resolver: nil, budget: OctetBudget(limit: 1 << 30),
            census: SessionCensus(), ids: QueueIDSource(using: &random), gate: gate, clock: { now })
    }

    // MARK: Messages

    private static let header = "From: <a@sender.example>\r\nSubject: measured\r\nMIME-Version: 1.0\r\n"
    private static let line = "Dear customer, the parcel of yesterday is waiting for you at our office\r\n"

    private static func plain(octets: Int) -> [UInt8] {
        Array((header + "\r\n" + String(repeating: line, count: octets / line.utf8.count)).utf8)
    }

    private static func withFile(octets: Int) -> [UInt8] {
        let file = Base64.encode((0..<octets).map { UInt8(truncatingIfNeeded: $0 &* 167) })
        var encoded: [UInt8] = []
        for start in stride(from: 0, to: file.count, by: 76) {
            encoded += file[start..<min(start + 76, file.count)] + [0x0D, 0x0A]
        }
        let text = String(repeating: line, count: 4096 / line.utf8.count)
        return Array(
            (header + "Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n--=_b\r\n\r\n\(text)--=_b\r\n"
                + "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n").utf8)
            + encoded + Array("--=_b--\r\n".utf8)
    }
}

/// Counts as the node does, and thinks well of everybody.
private final class CountingGate: IntakeGate {
    private let reputations = Mutex(Reputations(node: NodeID(octets: [UInt8](repeating: 0, count: 32))!))

    var edition: UInt64 { 1 }
    func opinion(of client: IPAddress) -> GateOpinion { .nothing }
    func opinion(ofAccount name: String) -> GateOpinion { .nothing }
    func opinion(of fingerprints: [Fingerprint]) -> VerdictOpinion { .nothing }
    func count(_ kind: Counters.Kind, _ amount: Int, by sender: GateSender) {
        reputations.withLock {
            $0.count(kind, from: sender.client, by: Float(amount), now: Uptime(milliseconds: 1))
        }
    }
}

/// One session's other side, on the thread that asks.
private final class Asker: AnswerTaker, Lane, @unchecked Sendable {
    // @unchecked: everything happens on the measuring thread.
    private(set) var taken = 0
    var lane: any Lane { self }
    func run(_ job: @escaping @Sendable () -> Void) { job() }
    func answer(_ ticket: Ticket, _ answer: Answer) { if case .reply = answer { taken += 1 } }
    func resumeReading() {}
}

/// A queue that keeps nothing.
private final class YesQueue: QueueStore {
    var intakeRefusal: StoreError? { nil }
    var deliveryRefusal: StoreError? { nil }
    var isCertain: Bool { true }
    func commit(_ changes: [QueueChange], lane: any Lane, completion: @escaping StoreCompletion) {
        completion(.success(()))
    }
    func withdraw(_ id: QueueID) {}
    func writeChunk(
        _ id: QueueID, number: UInt32, octets: [[UInt8]], lane: any Lane,
        completion: @escaping StoreCompletion
    ) { completion(.success(())) }
    func dropChunks(_ id: QueueID, count: UInt32) {}
    func envelope(_ id: QueueID) throws(StoreError) -> Envelope? { nil }
    func contentPiece(_ id: QueueID, number: UInt32) throws(StoreError) -> [UInt8]? { nil }
    func scan(_ body: (Envelope) -> Bool) throws(StoreError) {}
    func ledger(_ id: QueueID) throws(StoreError) -> [LedgerLine] { [] }
    func notes(under prefix: [UInt8], _ body: ([UInt8], [UInt8]) -> Bool) throws(StoreError) {}
}

private final class NoFeed: MessageFeed {
    func arrived(_ envelope: Envelope, content: [[UInt8]], on lane: (any Lane)?) {}
}

private final class NoEvents: EventSink {
    func write(_ line: [UInt8]) {}
}

private final class NoWorkers: PasswordWorkers {
    func submit(_ job: @escaping @Sendable () -> Void) -> Bool { false }
}
