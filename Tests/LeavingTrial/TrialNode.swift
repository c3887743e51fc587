import DNSRecords
import Delivery
import Dispatch
import Glibc
import GossipTransport
import MailValues
import Membership
import QueueEngine
import QueueStorage
import RelayNode
import SMTPProtocol
import Synchronization
import TestSupport

/// A node as far as leaving goes, on real links and a real store.
final class TrialNode: Sendable {
    private let number: UInt8
    private let queue: RocksQueue
    private let dispatcher: Dispatcher
    private let shell: LeavingShell
    private let transport: GossipTransport
    private let peers: [UInt8]
    private let isStopping = Atomic<Bool>(false)

    private static let loopback = IPAddress("127.0.0.1")!

    init(_ number: UInt8, directory: String, delivered path: String, peers: [UInt8]) throws {
        self.number = number
        self.peers = peers
        queue = try RocksQueue.open(directory: directory, now: TrialClock.now)
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        let dialer = ScriptedDialer(answering: { transaction, _, _ in
            // Which message, and where it was delivered.
            let line = Array("\(transaction.reversePath.mailbox?.localPart ?? "") \(number)\n".utf8)
            _ = line.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            return .allTaken(transaction)
        })
        let resolver = ZoneResolver { zone in
            zone.mx["taken.example"] = [MXRecord(preference: 10, exchange: "mx.taken.example")]
            zone.addresses["mx.taken.example"] = [IPAddress("192.0.2.1")!]
        }
        dispatcher = Dispatcher(
            settings: DeliverySettings(
                hostName: Domain("relay.ours.example"),
                postmaster: Mailbox(localPart: "postmaster", domain: Domain("ours.example"))
            ) { $0.isPubliclyDialable },
            seams: DeliverySeams(
                store: queue, resolver: resolver, dialer: dialer, events: EventCollector(),
                clock: SystemDeliveryClock()), seed: .random(in: 0 ... .max))
        var settings = TransportSettings(bindAddress: Self.loopback)
        (settings.controlPort, settings.bulkPort) = (Self.port(number), Self.port(number) + 1)
        let knot = Knot()
        transport = try GossipTransport(settings, linkKey: Self.pair(number)) { knot.hear($0) }
        let links = transport
        shell = try LeavingShell(
            me: Self.id(number), store: queue, dispatcher: dispatcher,
            seams: LeavingShell.Seams(
                send: { links.send($0, to: $1, on: .bulk) }, hasLeft: { say("left \(TrialClock.cpu)") }))
        knot.tie(shell)
        say("open \(try dispatcher.rebuild().messages)")
    }

    /// The links are there before the shell is.
    private final class Knot: Sendable {
        private let shell = Mutex<LeavingShell?>(nil)
        private let missed = Mutex<[LinkEvent]>([])
        /// Links that do not stand; one for mail is made when the first frame wants to go.
        private let failing = Mutex<[NodeID: Set<Channel>]>([:])

        func tie(_ shell: LeavingShell) {
            self.shell.withLock { $0 = shell }
            for event in missed.withLock({ $0 }) { hear(event) }
        }

        func hear(_ event: LinkEvent) {
            guard let shell = shell.withLock({ $0 }) else { return missed.withLock { $0.append(event) } }
            switch event {
            case .frame(let frame): shell.heard(frame.octets, from: frame.peer)
            case .up(let node, let channel), .rested(let node, let channel):
                let stands = failing.withLock { failing in
                    failing[node, default: [.control]].remove(channel)
                    return failing[node]?.isEmpty == true
                }
                shell.member(node, is: stands ? .alive : .silent)
            case .down(let node, let channel):
                _ = failing.withLock { $0[node, default: [.control]].insert(channel) }
                shell.member(node, is: .silent)
            case .refused, .turnedAway, .joinRequest, .doorClosed, .deaf: break
            }
        }
    }

    private static func id(_ number: UInt8) -> NodeID {
        NodeID(octets: [UInt8](repeating: number, count: 32))!
    }
    private static func pair(_ number: UInt8) -> LinkKeyPair {
        LinkKeyPair(secret: [UInt8](repeating: number, count: 32))!
    }
    private static func port(_ number: UInt8) -> UInt16 { 17_900 + UInt16(number) * 2 }

    func run(newPerSecond: Int, octets: Int) async {
        var addresses: [NodeID: PeerAddress] = [:]
        for peer in peers {
            await transport.admit(Self.pair(peer).key, for: Self.id(peer))
            addresses[Self.id(peer)] = PeerAddress(
                address: Self.loopback, controlPort: Self.port(peer), bulkPort: Self.port(peer) + 1,
                key: Self.pair(peer).key)
        }
        transport.setPeers(addresses)
        let parts = [
            Task { [dispatcher] in await dispatcher.run() }, Task { [shell] in await shell.run() },
            Task { await Self.onThread { self.load(newPerSecond, octets: octets) } },
            Task { await Self.onThread { self.obey() } }, Task { await Self.onThread { self.tell() } },
        ]
        for part in parts.dropFirst(2) { await part.value }
        shell.stop()
        dispatcher.stop(grace: .seconds(1))
        for part in parts.prefix(2) { await part.value }
        transport.shutdown()
        queue.close()
        say("stopped \(TrialClock.cpu)")
    }

    /// These wait, and none of the language's few threads is to.
    private static func onThread(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "trial").async {
                body()
                continuation.resume()
            }
        }
    }

    /// Standard input: until it ends, which is an order to stop.
    private func obey() {
        while let line = readLine() {
            if line == "leave" { shell.leave() }
            if line == "stop" { break }
        }
        isStopping.store(true, ordering: .releasing)
    }

    private func tell() {
        while !isStopping.load(ordering: .acquiring) {
            let progress = shell.progress
            say(
                "progress \(progress.phase) \(progress.messagesLeft) \(progress.handedOver) \(progress.takenOver)"
                    + " \(progress.obstacle ?? "")")
            poll(nil, 0, 50)
        }
    }

    /// New mail, as the intake would bring it, in steps of 10 ms; each is told of when it is on the disk.
    private func load(_ perSecond: Int, octets: Int) {
        guard perSecond > 0 else { return }
        var next = Int(number) * 1_000_000_000 + Int(TrialClock.now.milliseconds % 1_000_000) * 1_000
        let begun = ContinuousClock.now
        var given = 0
        while !isStopping.load(ordering: .acquiring) {
            let wanted = Int(
                Double(perSecond) * Double((ContinuousClock.now - begun).wholeMilliseconds) / 1_000)
            while given < wanted {
                let message = TrialMessage.make(next, octets: octets, isDue: false)
                queue.commit([.accept(message)], lane: TrialLane()) { [dispatcher, next] result in
                    guard case .success = result else { return }
                    dispatcher.arrived(message.envelope, content: [])
                    say("new \(next)")
                }
                next += 1
                given += 1
            }
            poll(nil, 0, 10)
        }
    }
}
