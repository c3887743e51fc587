import DNSRecords
import Delivery
import MailValues
import QueueEngine
import SMTPProtocol
import Synchronization
import TestSupport

/// A dispatcher with everything around it made up.
struct DeliveryHouse {
    let store = MemoryQueue()
    let clock = ManualClock()
    let events = EventCollector()
    let resolver: ZoneResolver
    let dialer: ScriptedDialer
    let dispatcher: Dispatcher

    init(
        resolver: ZoneResolver = .exampleWorld, dialer: ScriptedDialer = ScriptedDialer(),
        executors: [any TaskExecutor] = [], _ adjust: (inout DeliverySettings) -> Void = { _ in }
    ) {
        self.resolver = resolver
        self.dialer = dialer
        var settings = DeliverySettings.example
        adjust(&settings)
        dispatcher = Dispatcher(
            settings: settings,
            seams: DeliverySeams(
                store: store, resolver: resolver, dialer: dialer, events: events, clock: clock),
            executors: executors, seed: 7)
    }

    /// Runs the dispatcher while `body` runs, then stops it.
    func run(_ body: () async -> Void) async {
        let isOver = Flag()
        async let running: Void = {
            await dispatcher.run()
            isOver.raise()
        }()
        await body()
        dispatcher.stop(grace: .seconds(1))
        while !isOver.isRaised {
            clock.advance(by: .milliseconds(250))
            await Task.yield()
        }
        await running
    }

    /// Moves the clock, and returns when the dispatcher has looked at it; it must be running.
    func pass(_ duration: Duration) async {
        await clock.untilSomebodySleeps()
        clock.advance(by: duration)
        await clock.untilSomebodySleeps()
        await Task.yield()
    }

    /// Waits until nothing is in flight: outcomes are on the disk a moment before the schedule knows.
    func idle() async {
        while dispatcher.status.inFlight > 0 { await Task.yield() }
    }

    func untilIdleConnection() async {
        while dispatcher.status.connectionsIdle == 0 { await Task.yield() }
    }

    /// Accepts a message as the intake does.
    @discardableResult
    func accept(
        from sender: String? = "sender@from.example", to recipients: [String],
        content: String = "Subject: x\r\n\r\nHi\r\n", on lane: (any Lane)? = nil,
        _ adjust: (inout Envelope) -> Void = { _ in }
    ) -> QueueID {
        let envelope = envelope(from: sender, to: recipients, content: content, adjust)
        let pieces = [Array(content.utf8)]
        store.commit([.accept(NewMessage(envelope: envelope, content: pieces))], lane: TestLane()) { _ in }
        dispatcher.arrived(envelope, content: pieces, on: lane)
        return envelope.id
    }

    func envelope(
        from sender: String? = "sender@from.example", to recipients: [String], content: String,
        _ adjust: (inout Envelope) -> Void = { _ in }
    ) -> Envelope {
        let id = QueueID(
            at: clock.now, entropyHigh: 0, entropyLow: Self.counter.add(1, ordering: .relaxed).newValue)
        var envelope = Envelope(
            id: id, acceptedAt: clock.now, reversePath: sender.map { .mailbox(mailbox($0)) } ?? .null,
            recipients: recipients.map { Recipient(mailbox: mailbox($0)) }, sizeOctets: content.utf8.count,
            origin: Envelope.Origin(listener: "mx"))
        adjust(&envelope)
        return envelope
    }

    private static let counter = Atomic<UInt64>(0)
}

/// Raised once, from any task.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isRaised: Bool { value.load(ordering: .acquiring) }
    func raise() { value.store(true, ordering: .releasing) }
}

final class TestLane: Lane {
    func run(_ job: @escaping @Sendable () -> Void) { job() }
}

func mailbox(_ text: String) -> Mailbox {
    guard let at = text.lastIndex(of: "@") else { return Mailbox(localPart: text, domain: Domain("")) }
    return Mailbox(localPart: String(text[..<at]), domain: Domain(text[text.index(after: at)...]))
}

func address(_ text: String) -> IPAddress {
    guard let address = IPAddress(text) else { preconditionFailure("\(text) is an address") }
    return address
}

extension DeliverySettings {
    static var example: DeliverySettings {
        var settings = DeliverySettings(
            hostName: Domain("relay.ours.example"), postmaster: mailbox("postmaster@ours.example")
        ) {
            $0.isPubliclyDialable
        }
        settings.ownAddresses = [address("203.0.113.99")]
        settings.retry.jitter = 0
        return settings
    }
}

extension ZoneResolver {
    /// `to.example` with two hosts of equal rank and one behind; `from.example`; and `single.example`.
    static var exampleWorld: ZoneResolver {
        ZoneResolver { zone in
            zone.mx["to.example"] = [
                MXRecord(preference: 10, exchange: "mx1.to.example"),
                MXRecord(preference: 10, exchange: "mx2.to.example"),
                MXRecord(preference: 20, exchange: "mx3.to.example"),
            ]
            zone.addresses["mx1.to.example"] = [address("192.0.2.1")]
            zone.addresses["mx2.to.example"] = [address("192.0.2.2")]
            zone.addresses["mx3.to.example"] = [address("192.0.2.3")]
            zone.mx["from.example"] = [MXRecord(preference: 10, exchange: "mx.from.example")]
            zone.addresses["mx.from.example"] = [address("192.0.2.9")]
            zone.mx["single.example"] = [MXRecord(preference: 10, exchange: "mx.single.example")]
            zone.addresses["mx.single.example"] = [address("192.0.2.20")]
        }
    }
}
