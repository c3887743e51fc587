import Cryptography
import MailValues
import Membership
import QueueEngine
import TestSupport
import Testing

@testable import RelayNode

@Suite("What a node remembers of its cluster")
struct ClusterStoreTests {
    private final class InlineLane: Lane {
        func run(_ job: @escaping @Sendable () -> Void) { job() }
    }

    private let queue: MemoryQueue
    private let operatorKey = Ed25519PrivateKey.generate()
    private let identity: Ed25519PrivateKey
    private let cluster: ClusterID
    private var store: ClusterStore { ClusterStore(queue, lane: InlineLane()) }

    init() { self.init(sharing: MemoryQueue(), Ed25519PrivateKey.generate()) }

    /// Another cluster for the same node.
    private init(sharing queue: MemoryQueue, _ identity: Ed25519PrivateKey) {
        self.queue = queue
        self.identity = identity
        var random = SecureRandom()
        cluster = ClusterID(using: &random)
    }

    private func founded() -> AdmissionBook {
        var random = SecureRandom()
        let linkKey = [UInt8](repeating: 7, count: 32)
        let token = Token(
            cluster: cluster, operator: operatorKey, doorkeeper: identity.node, linkKey: linkKey, number: 1,
            expires: Timestamp(seconds: 1000), using: &random)
        let link = LinkCertificate(linkKey: linkKey, serial: 1, by: identity, in: cluster)
        var book = AdmissionBook(cluster: cluster, operatorKey: operatorKey.publicKey)
        #expect(
            book.take(Admission.founding(token, name: "anna", link: link, identity: identity)) == .taken)
        return book
    }

    @Test("a node that never was in a cluster remembers none")
    func nothing() throws { #expect(try store.load() == nil) }

    @Test("members, evictions and incarnations come back as they were")
    func comesBack() async throws {
        #expect(await store.found(founded()) == nil)
        #expect(await store.persist(incarnation: 5) == nil)
        let other = Ed25519PrivateKey.generate().node
        #expect(await store.persist(seen: 9, of: other) == nil)
        let gone = Claim(node: other, incarnation: 8, refutation: 2, state: .left)
        #expect(await store.persist(departed: gone) == nil)
        var content = try #require(try store.load())
        #expect(content.book.cluster == cluster)
        #expect(content.book.operatorKey == operatorKey.publicKey)
        #expect(content.book.members == [identity.node])
        #expect(content.incarnation == 5)
        #expect(content.seen == [other: 9] && content.departed == [other: gone] && !content.hasLeft)

        #expect(await store.evict(identity.node, number: 2) == nil)
        content = try #require(try store.load())
        #expect(content.book.members == [])
        #expect(content.book.isEvicted(identity.node))
    }

    @Test("the orders of a welcome are there after a restart")
    func welcomed() async throws {
        let order = try #require(
            Order(
                Order.Subject(.eviction, Ed25519PrivateKey.generate().node.octets), number: 2, by: "ada",
                reason: "gone", cluster: cluster, key: operatorKey))
        #expect(await store.found(founded(), orders: [order]) == nil)
        #expect(try store.load()?.orders == [order])
    }

    @Test("who comes into another cluster remembers nothing of the first but how often it has started")
    func another() async throws {
        #expect(await store.found(founded()) == nil)
        #expect(await store.persist(incarnation: 5) == nil)
        #expect(await store.evict(Ed25519PrivateKey.generate().node, number: 3) == nil)
        #expect(await store.leave() == nil)
        let second = ClusterStoreTests(sharing: queue, identity)
        #expect(await second.store.found(second.founded()) == nil)
        let content = try #require(try store.load())
        #expect(content.book.cluster == second.cluster)
        #expect(content.book.members == [identity.node])
        #expect(content.book.allEvictions.isEmpty)
        #expect(!content.hasLeft && content.incarnation == 5)
    }

    @Test("a damaged note is damage, and no smaller cluster")
    func damage() async throws {
        #expect(await store.found(founded()) == nil)
        let key = Array("cluster/admission/".utf8) + identity.node.octets
        queue.commit([.note(key: key, value: [1, 2, 3])], lane: InlineLane()) { _ in }
        #expect(throws: StoreError.self) { try store.load() }
    }

    @Test("what the disk refuses is not said to be there")
    func refused() async {
        queue.fail(1, with: .full)
        #expect(await store.persist(incarnation: 5) == .full)
    }
}
