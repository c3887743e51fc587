import Convergence
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
        let driver: ClusterDriver
        let running: Task<ClusterEnd, Never>
        private let world: World

        /// What stays of a node outside its driver.
        private final class World: Sendable {
            let stored: Mutex<UInt64>
            /// What the store had when it was noted that the queue is to be held.
            let held: Mutex<UInt64?> = Mutex(nil)
            let log: Mutex<[ClusterNews]> = Mutex([])

            init(stored: UInt64) { self.stored = Mutex(stored) }
        }

        static func key(_ number: UInt8) -> Ed25519PrivateKey {
            Ed25519PrivateKey(seed: [UInt8](repeating: number, count: 32))!
        }

        /// `patience`: how long it asks others for what they saw of it. Nobody is there yet when the first ones start.
        init(
            _ number: UInt8, _ cluster: ClusterID, pair: LinkKeyPair, stored: UInt64 = 0,
            ports: BoundPorts = BoundPorts(control: 0, bulk: 0), members: [ClusterMember] = [],
            words: WordBook? = nil, patience: Duration = .seconds(2)
        ) throws {
            let key = Self.key(number)
            id = key.node
            self.pair = pair
            let world = World(stored: stored)
            self.world = world
            var transport = TransportSettings(bindAddress: IPAddress("127.0.0.1")!)
            (transport.controlPort, transport.bulkPort) = (ports.control, ports.bulk)
            var settings = ClusterDriver.Settings(
                cluster: cluster, key: key, stored: stored, members: members, transport: transport)
            settings.start.patience = patience
            settings.words = words
            settings.facts = words == nil ? nil : FactTable([OrderFact.description])
            driver = try ClusterDriver(
                settings, linkKey: pair,
                seams: ClusterDriver.Seams(
                    persist: { incarnation in
                        world.stored.withLock { $0 = incarnation }
                        return nil
                    },
                    hold: {
                        let stored = world.stored.withLock { $0 }
                        world.held.withLock { $0 = stored }
                        return nil
                    },
                    tell: { news in world.log.withLock { $0.append(news) } }))
            running = Task { [driver] in await driver.run() }
        }

        var stored: UInt64 { world.stored.withLock { $0 } }
        var heldAt: UInt64? { world.held.withLock { $0 } }
        var log: [ClusterNews] { world.log.withLock { $0 } }

        var member: ClusterMember {
            let ports = driver.transport.ports
            return ClusterMember(
                node: id,
                address: PeerAddress(
                    address: IPAddress("127.0.0.1")!, controlPort: ports.control, bulkPort: ports.bulk,
                    key: pair.key),
                linkKeys: [pair.key], incarnation: stored)
        }

        func hears(_ news: ClusterNews) async {
            while !log.contains(news), !Task.isCancelled { await Task.yield() }
        }

        func sees(_ others: [Node], as state: MemberState) async {
            for other in others {
                while await driver.state(of: other.id) != state, !Task.isCancelled { await Task.yield() }
            }
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
        await stop([nodes[2]])
        for node in nodes[..<2] { await node.sees([nodes[2]], as: .dead) }

        let again = try Node(
            3, cluster, pair: nodes[2].pair, stored: nodes[2].stored,
            ports: nodes[2].driver.transport.ports, members: nodes.map(\.member), patience: .seconds(60))
        for node in nodes[..<2] { await node.sees([again], as: .alive) }
        await again.sees(Array(nodes[..<2]), as: .alive)
        #expect(again.stored > nodes[2].stored)
        await stop(Array(nodes[..<2]) + [again])
    }

    @Test("an order that no fact brings reaches every member all the same")
    func words() async throws {
        let operatorKey = Node.key(99)
        let book = WordBook(
            orders: OrderBook(cluster: cluster, operatorKey: operatorKey.publicKey),
            admissions: AdmissionBook(cluster: cluster, operatorKey: operatorKey.publicKey))
        let nodes = try (1...3).map { try Node($0, cluster, pair: .generate(), words: book) }
        for node in nodes { node.driver.setMembers(nodes.map(\.member)) }
        for node in nodes { await node.sees(nodes, as: .alive) }
        let order = try #require(
            Order(
                Order.Subject(.block, [4, 32, 192, 0, 2, 1]), number: 1, by: "ada", reason: "relays",
                cluster: cluster, key: operatorKey))
        nodes[0].driver.keep(.order(order))
        for node in nodes[1...] {
            func hasHeard() -> Bool {
                node.log.contains { if case .words([.order(order)], _) = $0 { true } else { false } }
            }
            while !hasHeard(), !Task.isCancelled { await Task.yield() }
        }
        #expect(nodes[0].log.allSatisfy { if case .words = $0 { false } else { true } })
        await stop(nodes)
    }

    @Test("a store that is older than what the members saw is found out, held, and then starts beyond it")
    func oldStore() async throws {
        let nodes = try await three()
        await stop([nodes[2]])
        for node in nodes[..<2] { await node.sees([nodes[2]], as: .dead) }
        let seen = nodes[2].stored
        let restored = try Node(
            3, cluster, pair: nodes[2].pair, stored: 0, ports: nodes[2].driver.transport.ports,
            members: nodes.map(\.member), patience: .seconds(60))
        await restored.sees(Array(nodes[..<2]), as: .alive)
        await restored.hears(.started(incarnation: seen + 1, storeIsOld: true))
        #expect(restored.heldAt == 0, "before its start was stored, after which nobody could tell any more")
        #expect(nodes.allSatisfy { $0.heldAt == nil })
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

    @Test("the house hears whom it reaches although no mail was handed over, and later who can take none")
    func reached() async throws {
        let nodes = try await three()
        let (first, second) = (nodes[0], nodes[1])
        await first.hears(.link(second.id, isUp: true))
        await first.hears(.link(nodes[2].id, isUp: true))
        #expect(!first.log.contains { if case .bulk = $0 { true } else { false } })

        #expect(first.driver.transport.send([1], to: second.id, on: .bulk))
        await first.hears(.bulk(second.id, isFailing: false))
        #expect(!first.log.contains(.bulk(second.id, isFailing: true)))
        await stop([second])
        await first.hears(.bulk(second.id, isFailing: true))
        await first.hears(.link(second.id, isUp: false))
        await stop([first, nodes[2]])
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
