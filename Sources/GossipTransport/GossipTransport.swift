package import MailValues
package import Membership
import Threads

/// Authenticated links to the other members, and a door for those who want to become one.
///
/// Frames leave and come by sockets of libzmq, which are not safe to share: one thread owns them all, and
/// everything else goes through a bounded mailbox. It knows frames and keys, and nothing of what the frames
/// say.
package final class GossipTransport: Sendable {
    private let mailbox: Mailbox
    private let statisticsOfLoop = SharedStatistics()
    private let thread: WorkerThread
    private let start: UInt32
    private let frameOctets: (control: Int, bulk: Int)
    /// Where it listens under its first key.
    package let ports: BoundPorts

    /// Binds both channels, and begins.
    ///
    /// `onEvent` is called on the transport's own thread: it hands over and returns.
    package init(
        _ settings: TransportSettings, linkKey pair: LinkKeyPair,
        onEvent: @escaping @Sendable (LinkEvent) -> Void
    ) throws(TransportError) {
        mailbox = try Mailbox(control: settings.control, bulk: settings.bulk)
        let loop = try TransportLoop(
            settings, pair: pair, mailbox: mailbox, statistics: statisticsOfLoop, onEvent: onEvent)
        ports = try loop.listen(
            BoundPorts(control: settings.controlPort, bulk: settings.bulkPort), as: pair)
        start = .random(in: .min ... .max)
        frameOctets = (settings.control.frameOctets, settings.bulk.frameOctets)
        let handedOver = HandedOver(loop)
        thread = WorkerThread(name: "gossip") { handedOver.loop.run() }
    }

    /// A loop on its way to its thread. zmq(3): sockets may move between threads across a full fence, which
    /// starting a thread is.
    private final class HandedOver: @unchecked Sendable {
        let loop: TransportLoop
        init(_ loop: TransportLoop) { self.loop = loop }
    }

    /// Ends the thread and closes every socket. Nothing is told afterwards.
    package func shutdown() {
        mailbox.stop()
        thread.join()
    }

    // MARK: Frames

    /// Hands a frame over. False: there is no room for it now, or it is too long for any; it is dropped and
    /// counted.
    ///
    /// True promises nothing: a link that falls, a peer that does not read, take what was under way.
    package func send(_ octets: [UInt8], to node: NodeID, on channel: Channel) -> Bool {
        guard octets.count <= (channel == .control ? frameOctets.control : frameOctets.bulk) else {
            statisticsOfLoop.count { $0[channel].dropped.tooLong += 1 }
            return false
        }
        let header = FrameHeader(
            start: start, stamp: UInt64(bitPattern: TransportClock.now().milliseconds))
        return mailbox.put(
            Mailbox.Outgoing(node: node, header: header.octets, octets: octets), on: channel)
    }

    // MARK: Members

    /// Whom to connect to from now on; who is not in it is parted from.
    package func setPeers(_ peers: [NodeID: PeerAddress]) { mailbox.put(.setPeers(peers)) }

    /// Lets a member in that shows this key. False: the key is another's, or the member has too many.
    ///
    /// That the member signed for the key is for the caller to know.
    @discardableResult
    package func admit(_ key: LinkKey, for node: NodeID) async -> Bool {
        await withCheckedContinuation { continuation in
            if !mailbox.put(.admit(key, node) { continuation.resume(returning: $0) }) {
                continuation.resume(returning: false)
            }
        }
    }

    /// One key of a member is good no longer.
    package func withdraw(_ key: LinkKey) { mailbox.put(.withdraw(key)) }

    /// No key of this member is good, and what it has connected ends.
    package func evict(_ node: NodeID) { mailbox.put(.evict(node)) }

    // MARK: Our own key

    /// Listens under `next` too, on other ports. Others are told of them, and once all have confirmed,
    /// `retire` ends what was before.
    package func rotate(
        to next: LinkKeyPair, ports: BoundPorts = BoundPorts(control: 0, bulk: 0)
    ) async throws(TransportError) -> BoundPorts {
        let result: Result<BoundPorts, TransportError> = await withCheckedContinuation { continuation in
            if !mailbox.put(.rotate(next, ports) { continuation.resume(returning: $0) }) {
                continuation.resume(returning: .failure(Self.stopped))
            }
        }
        return try result.get()
    }

    /// Shows the newest key everywhere, and listens under no other.
    package func retire() async {
        await withCheckedContinuation { continuation in
            if !mailbox.put(.retire { continuation.resume() }) { continuation.resume() }
        }
    }

    // MARK: Strangers

    /// Lets strangers ask to join, for `span`; the port where they may. An open door is shut first.
    package func openDoor(port: UInt16 = 0, for span: Duration) async throws(TransportError) -> UInt16 {
        let result: Result<UInt16, TransportError> = await withCheckedContinuation { continuation in
            if !mailbox.put(.openDoor(port, span) { continuation.resume(returning: $0) }) {
                continuation.resume(returning: .failure(Self.stopped))
            }
        }
        return try result.get()
    }

    package func closeDoor() { mailbox.put(.closeDoor) }

    /// Answers a request to join; he may ask again.
    package func answer(_ visitor: DoorVisitor, _ octets: [UInt8]) { mailbox.put(.answer(visitor, octets)) }

    private static let stopped = TransportError.libraryFailed(during: "obey", detail: "it was shut down")

    // MARK: Counters

    package var statistics: TransportStatistics {
        var statistics = statisticsOfLoop.now
        let dropped = mailbox.dropped
        statistics.control.dropped.mailboxFull = dropped.control
        statistics.bulk.dropped.mailboxFull = dropped.bulk
        return statistics
    }
}

/// The ports of the two channels.
package struct BoundPorts: Sendable, Hashable {
    package var control: UInt16
    package var bulk: UInt16

    package init(control: UInt16, bulk: UInt16) {
        self.control = control
        self.bulk = bulk
    }
}
