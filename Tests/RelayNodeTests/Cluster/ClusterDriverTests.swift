import Cryptography
import GossipTransport
import MailValues
import Membership
import Synchronization
import Testing

@testable import RelayNode

@Suite("Nodes in a cluster, on real links", .timeLimit(.minutes(2)))
struct ClusterDriverTests {
    private let cluster = ClusterID(octets: [UInt8](repeating: 9, count: 16))!

    /// One node with its driver, its store and what it was told.
    private final class Node: Sendable {
        let id: NodeID
        let pair: LinkKeyPair
        let stored: Mutex<UInt64>
        let log: Mutex<[ClusterNews]> = Mutex([])
        let driver: ClusterDriver
        let running: Task<ClusterEnd, Never>

        static func key(_ number: UInt8) -> Ed25519PrivateKey {
            Ed25519PrivateKey(seed: [UInt8](repeating: number, count: 32))!
        }

        init(
            _ number: UInt8, _ cluster: ClusterID, pair: LinkKeyPair, stored: UInt64 = 0,
            ports: BoundPorts = BoundPorts(control: 0, bulk: 0), members: [ClusterMember] = []
        ) throws {
            let key = Self.key(number)
            id = key.node
            self.pair = pair
            self.stored = Mutex(stored)
            var transport = TransportSettings(bindAddress: IPAddress("127.0.0.1")!)
            (transport.controlPort, transport.bulkPort) = (ports.control, ports.bulk)
            var settings = ClusterDriver.Settings(
                cluster: cluster, key: key, stored: stored, members: members, transport: transport)
            // Nobody is there yet when the first ones start.
            settings.start.patience = .seconds(2)
            let told = Told()
            driver = try ClusterDriver(settings, linkKey: pair, seams: told.seams)
            running = Task { [driver] in await driver.run() }
            told.node.withLock { $0 = self }
        }

        /// The seams are there before the node is.
        private final class Told: Sendable {
            let node = Mutex<Node?>(nil)

            var seams: ClusterDriver.Seams {
                ClusterDriver.Seams(
                    persist: { incarnation in
                        while true {
                            if let node = self.node.withLock({ $0 }) {
                                node.stored.withLock { $0 = incarnation }
                                return nil
                            }
                            await Task.yield()
                        }
                    },
                    tell: { news in self.node.withLock { $0 }?.log.withLock { $0.append(news) } })
            }
        }

        var member: ClusterMember {
            let ports = driver.transport.ports
            return ClusterMember(
                node: id,
                address: PeerAddress(
                    address: IPAddress("127.0.0.1")!, controlPort: ports.control, bulkPort: ports.bulk,
                    key: pair.key),
                linkKeys: [pair.key], incarnation: stored.withLock { $0 })
        }

        func sees(_ others: [Node], as state: MemberState) async {
            for other in others { while await driver.state(of: other.id) != state { await Task.yield() } }
        }
    }

    private func three() async throws -> [Node] {
        let nodes = try (1...3).map { try Node($0, cluster, pair: .generate()) }
        for node in nodes { node.driver.setMembers(nodes.map(\.member)) }
        for node in nodes { await node.sees(nodes, as: .alive) }
        return nodes
    }

    private func stop(_ nodes: [Node]) async {
        for node in nodes {
            node.driver.stop()
            #expect(await node.running.value == .stopped)
        }
    }

    @Test("three nodes find each other; one that is killed is known dead soon, and alive once it is back")
    func deathAndReturn() async throws {
        let nodes = try await three()
        let killed = ContinuousClock.now
        await stop([nodes[2]])
        for node in nodes[..<2] { await node.sees([nodes[2]], as: .dead) }
        let wait = ContinuousClock.now - killed
        #expect(wait < .seconds(8), "known dead after \(wait)")

        let again = try Node(
            3, cluster, pair: nodes[2].pair, stored: nodes[2].stored.withLock { $0 },
            ports: nodes[2].driver.transport.ports, members: nodes.map(\.member))
        for node in nodes[..<2] { await node.sees([again], as: .alive) }
        await again.sees(Array(nodes[..<2]), as: .alive)
        #expect(again.stored.withLock { $0 } > nodes[2].stored.withLock { $0 })
        await stop(Array(nodes[..<2]) + [again])
    }

    @Test("a store that is older than what the members saw is found out, and starts beyond it")
    func oldStore() async throws {
        let nodes = try await three()
        await stop([nodes[2]])
        for node in nodes[..<2] { await node.sees([nodes[2]], as: .dead) }
        let seen = nodes[2].stored.withLock { $0 }
        let restored = try Node(
            3, cluster, pair: nodes[2].pair, stored: 0, ports: nodes[2].driver.transport.ports,
            members: nodes.map(\.member))
        await restored.sees(Array(nodes[..<2]), as: .alive)
        #expect(restored.log.withLock { $0 }.contains(.started(incarnation: seen + 1, storeIsOld: true)))
        await stop(Array(nodes[..<2]) + [restored])
    }

    @Test("who is taken out of the set is heard no more, and hears so")
    func evicted() async throws {
        let nodes = try await three()
        let rest = nodes[..<2].map(\.member)
        for node in nodes[..<2] { node.driver.setMembers(rest) }
        #expect(await nodes[2].running.value == .evicted)
        for node in nodes[..<2] { #expect(await node.driver.state(of: nodes[2].id) == nil) }
        await nodes[0].sees([nodes[1]], as: .alive)
        await stop(Array(nodes[..<2]))
    }

    @Test("an incarnation that cannot be stored is never spoken under")
    func notStored() async throws {
        let pair = try LinkKeyPair.generate()
        let key = Node.key(1)
        let driver = try ClusterDriver(
            ClusterDriver.Settings(
                cluster: cluster, key: key, stored: 4,
                members: [ClusterMember(node: key.node, address: nil, linkKeys: [pair.key])],
                transport: TransportSettings(bindAddress: IPAddress("127.0.0.1")!)), linkKey: pair,
            seams: ClusterDriver.Seams(persist: { _ in "no space left" }, tell: { _ in }))
        #expect(await driver.run() == .notStored("no space left"))
    }
}
