import CZeroMQ
import MailValues
import Membership

@testable import GossipTransport

/// A member, or a stranger, that sends what it likes: a bare socket without our manners.
struct RawLink: ~Copyable {
    let socket: ZeroMQSocket
    let monitor: SocketMonitor
    private let context: ZeroMQContext
    private let message = ZeroMQMessage()

    /// Without a pair it speaks the NULL mechanism: nothing is encrypted, and nothing shown.
    init(to node: TestNode, channel: Channel = .control, as pair: LinkKeyPair?, port: UInt16? = nil) throws {
        let context = try ZeroMQContext()
        let socket = try ZeroMQSocket(.dealer, in: context)
        socket.set(ZMQ_SNDHWM, 10_000)
        if let pair {
            socket.set(ZMQ_CURVE_SERVERKEY, octets: node.pair.key.octets)
            socket.set(ZMQ_CURVE_PUBLICKEY, octets: pair.key.octets)
            socket.set(ZMQ_CURVE_SECRETKEY, octets: pair.secret)
        }
        let monitor = try SocketMonitor(of: socket, name: "raw", in: context)
        try socket.connect(
            "tcp://127.0.0.1:\(port ?? (channel == .control ? node.address.controlPort : node.address.bulkPort))"
        )
        self.context = context
        self.socket = socket
        self.monitor = monitor
    }

    deinit { socket.stopReporting() }

    func send(_ octets: [UInt8]) { _ = socket.sendLast([octets]) }

    /// A frame as it should be.
    static func frame(start: UInt32 = 7, stamp: UInt64, _ octets: [UInt8]) -> [UInt8] {
        FrameHeader(start: start, stamp: stamp).octets + octets
    }

    func wait(for isWanted: (SocketMonitor.Event) -> Bool) {
        var pollSet = ZeroMQPollSet()
        monitor.join(&pollSet)
        while true {
            while let event = monitor.next(message) { if isWanted(event) { return } }
            pollSet.wait(for: nil)
        }
    }
}
