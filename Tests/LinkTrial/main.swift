import Glibc
import GossipTransport
import MailValues
import Membership
import Synchronization

// Nodes of transport alone, for trials that a test cannot do: cut links, and hours of nothing.
//
// usage: LinkTrial beat SELF IP PEER=IP…    a frame to each peer every 20 ms; says when links and frames come back
//        LinkTrial idle COUNT SECONDS       that many nodes on loopback that say nothing; the CPU time that this costs
//
// SELF and PEER are numbers. Ports are 7946 and 7947; keys follow from the numbers, so nobody else should use them.

func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

func say(_ text: String) {
    print("\(now()) \(text)")
    fflush(nil)
}

func nap(milliseconds: Int) {
    var span = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    nanosleep(&span, nil)
}

struct Player {
    let id: NodeID
    let pair: LinkKeyPair

    init?(_ number: some StringProtocol) {
        guard let number = UInt8(number), let id = NodeID(octets: [UInt8](repeating: number, count: 32)),
            let pair = LinkKeyPair(secret: [UInt8](repeating: number, count: 32))
        else { return nil }
        self.id = id
        self.pair = pair
    }

    func address(
        _ address: IPAddress, ports: BoundPorts = BoundPorts(control: 7946, bulk: 7947)
    ) -> PeerAddress {
        PeerAddress(address: address, controlPort: ports.control, bulkPort: ports.bulk, key: pair.key)
    }
}

/// When the last frame of each peer came: what matters is the first after a silence.
final class Listener: Sendable {
    private let last = Mutex<[NodeID: Int64]>([:])

    func hear(_ event: LinkEvent) {
        switch event {
        case .frame(let frame):
            let before = last.withLock { last in
                defer { last[frame.peer] = now() }
                return last[frame.peer]
            }
            if let before, now() - before > 1000 {
                say("frame from \(frame.peer.octets[0]) after \(now() - before) ms, \(frame.age) old")
            } else if before == nil {
                say("frame from \(frame.peer.octets[0]), the first")
            }
        case .up(let node, let channel): say("up \(node.octets[0]) \(channel)")
        case .down(let node, let channel): say("down \(node.octets[0]) \(channel)")
        case .rested(let node, let channel): say("rested \(node.octets[0]) \(channel)")
        case .refused(let node): say("refused \(node.octets[0])")
        case .turnedAway(let node): say("turned away by \(node.octets[0])")
        case .joinRequest, .doorClosed, .deaf: say("\(event)")
        }
    }
}

func beat(_ arguments: [String]) async throws -> Never {
    guard arguments.count >= 3, let own = Player(arguments[0]), let address = IPAddress(arguments[1]) else {
        exit(64)
    }
    var settings = TransportSettings(bindAddress: address)
    (settings.controlPort, settings.bulkPort) = (7946, 7947)
    let listener = Listener()
    let transport = try GossipTransport(settings, linkKey: own.pair) { listener.hear($0) }
    var peers: [NodeID: PeerAddress] = [:]
    for argument in arguments[2...] {
        let parts = argument.split(separator: "=")
        guard parts.count == 2, let peer = Player(parts[0]), let address = IPAddress(parts[1]) else {
            exit(64)
        }
        await transport.admit(peer.pair.key, for: peer.id)
        peers[peer.id] = peer.address(address)
    }
    transport.setPeers(peers)
    while true {
        for peer in peers.keys { _ = transport.send([1, 2, 3], to: peer, on: .control) }
        nap(milliseconds: 20)
    }
}

func idle(_ arguments: [String]) async throws {
    guard arguments.count == 2, let count = UInt8(arguments[0]), let seconds = Int(arguments[1]) else {
        exit(64)
    }
    let loopback = IPAddress("127.0.0.1")!
    let players = (1...count).compactMap { Player("\($0)") }
    let transports = try players.map {
        try GossipTransport(TransportSettings(bindAddress: loopback), linkKey: $0.pair) { _ in }
    }
    for (index, transport) in transports.enumerated() {
        var peers: [NodeID: PeerAddress] = [:]
        for (other, player) in players.enumerated() where other != index {
            await transport.admit(player.pair.key, for: player.id)
            peers[player.id] = player.address(loopback, ports: transports[other].ports)
        }
        transport.setPeers(peers)
    }
    nap(milliseconds: 3000)
    let before = cpu()
    nap(milliseconds: seconds * 1000)
    let share = (cpu() - before) / Double(seconds) / Double(count) * 100
    print("cpu of an idle node among \(count): \(Double(Int(share * 1000)) / 1000) % of a core")
}

func cpu() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "beat": try await beat(Array(arguments.dropFirst()))
case "idle": try await idle(Array(arguments.dropFirst()))
default: exit(64)
}
