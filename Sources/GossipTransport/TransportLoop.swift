internal import CZeroMQ
import Glibc
import MailValues
import Membership

/// The one thread that owns all sockets, and what it holds.
///
/// It sleeps until a socket, the mailbox or a timer wants something; nothing here is touched by another
/// thread once `run` has begun.
final class TransportLoop {
    let settings: TransportSettings
    let mailbox: Mailbox
    let statistics: SharedStatistics
    let onEvent: @Sendable (LinkEvent) -> Void
    let context: ZeroMQContext
    let authentication: Authentication
    let control: ChannelSockets
    let bulk: ChannelSockets
    let message = ZeroMQMessage()
    var admissions: Admissions
    /// What we show when we connect, and the keys under which we listen: the last is the newest.
    var pairs: [LinkKeyPair]
    var door: Door?
    var doorCount: UInt64 = 0
    var gauges: [GaugeKey: AgeGauge] = [:]
    private var probes: [RefusalProbe] = []
    private var pollSet = ZeroMQPollSet()

    struct GaugeKey: Hashable {
        let node: NodeID
        let channel: Channel
    }

    init(
        _ settings: TransportSettings, pair: LinkKeyPair, mailbox: Mailbox, statistics: SharedStatistics,
        onEvent: @escaping @Sendable (LinkEvent) -> Void
    ) throws(TransportError) {
        self.settings = settings
        self.mailbox = mailbox
        self.statistics = statistics
        self.onEvent = onEvent
        pairs = [pair]
        admissions = Admissions(memberLimit: settings.memberLimit, keysPerMember: settings.keysPerMember)
        context = try ZeroMQContext()
        authentication = try Authentication(in: context)
        control = try ChannelSockets(.control, settings, in: context)
        bulk = try ChannelSockets(.bulk, settings, in: context)
    }

    /// Binds both channels under a key.
    func listen(_ ports: BoundPorts, as pair: LinkKeyPair) throws(TransportError) -> BoundPorts {
        let controlPort = try control.listen(settings.bindAddress, port: ports.control, as: pair)
        let bulkPort = try bulk.listen(settings.bindAddress, port: ports.bulk, as: pair)
        return BoundPorts(control: controlPort, bulk: bulkPort)
    }

    // MARK: Turning

    func run() {
        while true {
            wait()
            while authentication.answerNext(message, by: decide) {}
            receive(control)
            receive(bulk)
            receiveAtDoor()
            watch(control)
            watch(bulk)
            let content = mailbox.takeAll()
            for command in content.commands { obey(command) }
            for frame in content.control { send(frame, control) }
            for frame in content.bulk { send(frame, bulk) }
            tick()
            if content.mustStop { break }
        }
        // While the monitors still can take what the library has to say: it would wait for them with a lock
        // held.
        for sockets in [control, bulk] {
            sockets.inward.stopReporting()
            sockets.outward.stopReporting()
        }
        for command in mailbox.shut().commands { obey(command) }
    }

    private func wait() {
        pollSet.removeAll()
        authentication.join(&pollSet)
        for sockets in [control, bulk] {
            pollSet.add(sockets.inward)
            sockets.inwardMonitor.join(&pollSet)
            sockets.outwardMonitor.join(&pollSet)
        }
        door?.join(&pollSet)
        pollSet.add(descriptor: mailbox.descriptor)
        for probe in probes { pollSet.add(descriptor: probe.descriptor, forWriting: true) }
        let now = now()
        pollSet.wait(for: nextTick(now).map { max(.zero, $0 - now) })
    }

    func now() -> Uptime { TransportClock.now() }

    func tell(_ event: LinkEvent) { onEvent(event) }

    // MARK: Timers

    /// How often a port is asked for that the library has not let go of yet.
    private static let bindInterval: Duration = .milliseconds(5)

    private func nextTick(_ now: Uptime) -> Uptime? {
        var times = [control.links.nextTick, bulk.links.nextTick, door?.closesAt].compactMap { $0 }
        times += probes.map(\.deadline)
        if !control.missing.isEmpty || !bulk.missing.isEmpty { times.append(now + Self.bindInterval) }
        if let door, door.isUnbound { times.append(now + Self.bindInterval) }
        return times.min()
    }

    private func tick() {
        let now = now()
        for sockets in [control, bulk] {
            perform(sockets.links.tick(now: now), sockets)
            for event in sockets.bindMissing(now: now) { tell(event) }
        }
        tickDoor(now: now)
        probes.removeAll { probe in
            switch probe.outcome(now: now) {
            case .pending: return false
            case .other: return true
            case .refused:
                if !control.links.isUp(probe.node) { tell(.refused(probe.node)) }
                return true
            }
        }
    }

    // MARK: Links

    func watch(_ sockets: ChannelSockets) {
        while let event = sockets.outwardMonitor.next(message) {
            if case .turnedAway = event { statistics.count { $0.turnedAway += 1 } }
            perform(sockets.links.handle(event, now: now()), sockets)
        }
        while let event = sockets.inwardMonitor.next(message) {
            switch event {
            case .turnedAway, .broken, .abandoned: statistics.count { $0.handshakesFailed += 1 }
            case .connected, .established, .disconnected, .retrying: break
            }
        }
    }

    func perform(_ actions: [OutgoingLinks.Action], _ sockets: ChannelSockets) {
        for action in actions {
            switch action {
            case .connect(let connection):
                statistics.count { $0.connections += 1 }
                // What the library refuses here it will refuse again: the silence of the link makes it anew,
                // slowly.
                try? sockets.connect(connection, as: pairs[0])
            case .disconnect(let endpoint):
                sockets.outward.disconnect(endpoint)
            case .tell(let event):
                tell(event)
                settle(event, sockets)
            case .probe(let node, let address):
                guard !probes.contains(where: { $0.node == node }) else { break }
                if let probe = RefusalProbe(node, address, deadline: now() + settings.timing.connect) {
                    probes.append(probe)
                }
            }
        }
    }

    /// Frames that waited for a link leave when it stands, and are dropped when it does not come about.
    private func settle(_ event: LinkEvent, _ sockets: ChannelSockets) {
        switch event {
        case .up(let node, _):
            for frame in sockets.waiting.take(for: node) { send(frame, sockets) }
        case .down(let node, _), .rested(let node, _):
            for _ in sockets.waiting.take(for: node) { drop(sockets.channel, \.notConnected) }
        case .refused, .turnedAway, .frame, .joinRequest, .doorClosed, .deaf: break
        }
    }

    private func send(_ frame: Mailbox.Outgoing, _ sockets: ChannelSockets) {
        var actions: [OutgoingLinks.Action] = []
        let way = sockets.links.way(to: frame.node, now: now(), &actions)
        perform(actions, sockets)
        switch way {
        case .route(let route): send(frame, by: route, sockets)
        case .soon where sockets.waiting.add(frame): break
        case .soon, .none: drop(sockets.channel, \.notConnected)
        }
    }

    private func send(_ frame: Mailbox.Outgoing, by route: [UInt8], _ sockets: ChannelSockets) {
        switch sockets.outward.send(to: route, frame.header, frame.octets) {
        case .sent:
            statistics.count {
                $0[sockets.channel].framesSent += 1
                $0[sockets.channel].octetsSent += UInt64(frame.octets.count)
            }
        case .full:
            statistics.count { $0[sockets.channel].dropped.peerFull += 1 }
        case .unroutable, .failed:
            drop(sockets.channel, \.notConnected)
            perform(sockets.links.unroutable(frame.node, now: now()), sockets)
        }
    }

    // MARK: Frames

    private func receive(_ sockets: ChannelSockets) {
        for _ in 0..<sockets.limits.turn {
            guard sockets.inward.receive(into: message) else { return }
            // The route by which it came; nothing is ever sent there.
            guard message.hasMore, sockets.inward.receive(into: message) else { continue }
            if message.hasMore {
                while message.hasMore, sockets.inward.receive(into: message) {}
                drop(sockets.channel, \.malformed)
                continue
            }
            accept(message, sockets)
        }
    }

    private func accept(_ message: ZeroMQMessage, _ sockets: ChannelSockets) {
        let number = message.withUserID { UInt32(strtoul($0, nil, 10)) }
        guard let number, let node = admissions.node(of: number) else {
            return drop(sockets.channel, \.withdrawn)
        }
        let octets = message.buffer
        guard let header = FrameHeader(octets) else { return drop(sockets.channel, \.malformed) }
        let age = age(of: header, GaugeKey(node: node, channel: sockets.channel))
        guard age <= sockets.limits.ageLongest else { return drop(sockets.channel, \.stale) }
        let body = Array(octets.dropFirst(FrameHeader.sizeOctets))
        statistics.count {
            $0[sockets.channel].framesReceived += 1
            $0[sockets.channel].octetsReceived += UInt64(body.count)
        }
        tell(.frame(LinkFrame(peer: node, channel: sockets.channel, octets: body, age: age)))
    }

    private func age(of header: FrameHeader, _ key: GaugeKey) -> Duration {
        let now = now()
        guard gauges[key]?.isOf(header) == true else {
            gauges[key] = AgeGauge(header, now: now)
            return .zero
        }
        return gauges[key]!.age(header, now: now)
    }

    private func drop(_ channel: Channel, _ reason: WritableKeyPath<TransportStatistics.Drops, UInt64>) {
        statistics.count { $0[channel].dropped[keyPath: reason] += 1 }
    }

    // MARK: Who may

    private func decide(_ request: Authentication.Request?) -> Authentication.Answer {
        guard let request else {
            statistics.count { $0.strangers += 1 }
            return .refuse
        }
        if request.domain == Door.domain { return decideAtDoor(request) }
        guard request.domain == ChannelSockets.domain, let number = admissions.number(of: request.key) else {
            statistics.count { $0.strangers += 1 }
            return .refuse
        }
        return .accept(userID: "\(number)")
    }
}

/// The clock of links: it goes on while the machine sleeps, and never jumps.
enum TransportClock {
    static func now() -> Uptime {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Uptime(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

/// Counters that the thread writes and others read.
final class SharedStatistics: Sendable {
    private let values = Guarded(TransportStatistics())

    func count(_ change: (inout TransportStatistics) -> Void) { values.withLock { change(&$0) } }

    var now: TransportStatistics { values.withLock { $0 } }
}
