import Cryptography
import GossipTransport
import MailValues
import Membership
import QueueEngine
import Synchronization
import TestSupport
import Testing

@testable import RelayNode

@Suite("Joining through a real door", .timeLimit(.minutes(2)))
struct ClusterDoorTests {
    private final class InlineLane: Lane {
        func run(_ job: @escaping @Sendable () -> Void) { job() }
    }

    private let loopback = IPAddress("127.0.0.1")!
    private let now = Timestamp(seconds: 1_000)
    private let operatorKey = Ed25519PrivateKey.generate()
    private let queue = MemoryQueue()
    private let cluster: ClusterID

    init() {
        var random = SecureRandom()
        cluster = ClusterID(using: &random)
    }

    /// The first member with its door open, and who knocks.
    private struct House {
        let identity: Ed25519PrivateKey
        let pair: LinkKeyPair
        let transport: GossipTransport
        let requests: AsyncStream<JoinRequest>
        let door: ClusterDoor
        let book: AdmissionBook
        let port: UInt16
    }

    private func token(_ number: UInt64, at doorkeeper: NodeID, _ linkKey: LinkKey) -> Token {
        var random = SecureRandom()
        return Token(
            cluster: cluster, operator: operatorKey, doorkeeper: doorkeeper, linkKey: linkKey.octets,
            number: number, expires: now + .seconds(3600), using: &random)
    }

    private func house() async throws -> House {
        let identity = Ed25519PrivateKey.generate()
        let pair = try LinkKeyPair.generate()
        let (requests, visitors) = AsyncStream.makeStream(of: JoinRequest.self)
        let transport = try GossipTransport(TransportSettings(bindAddress: loopback), linkKey: pair) {
            event in
            if case .joinRequest(let request) = event { visitors.yield(request) }
        }
        let link = LinkCertificate(linkKey: pair.key.octets, serial: 1, by: identity, in: cluster)
        var book = AdmissionBook(cluster: cluster, operatorKey: operatorKey.publicKey)
        let founding = Admission.founding(
            token(1, at: identity.node, pair.key), name: "anna", link: link, identity: identity)
        #expect(book.take(founding) == .taken)
        let store = ClusterStore(queue, lane: InlineLane())
        #expect(await store.found(book) == nil)
        return House(
            identity: identity, pair: pair, transport: transport, requests: requests,
            door: ClusterDoor(identity: identity, store: store), book: book,
            port: try await transport.openDoor(for: .seconds(60)))
    }

    private func knock(
        _ house: House, _ attempt: JoinAttempt, _ pair: LinkKeyPair, timeout: Duration = .seconds(20)
    ) async throws(DoorCallError) -> [UInt8] {
        try await DoorCall.ask(
            loopback, port: house.port, key: house.pair.key, as: pair, attempt.request, timeout: timeout)
    }

    /// Serves one visitor.
    private func serve(_ house: House, _ book: inout AdmissionBook) async -> ClusterDoor.Outcome {
        var visitors = house.requests.makeAsyncIterator()
        guard let request = await visitors.next() else { return ClusterDoor.Outcome(book: book) }
        let outcome = await house.door.serve(request, book: book, introductions: [], now: now)
        book = outcome.book
        if let answer = outcome.answer { house.transport.answer(request.visitor, answer) }
        return outcome
    }

    @Test("who has a token is in, knows the members, and is remembered; the token brings in nobody else")
    func joins() async throws {
        let house = try await house()
        var members = house.book
        let token = token(2, at: house.identity.node, house.pair.key)
        let bert = Ed25519PrivateKey.generate()
        let pair = try LinkKeyPair.generate()
        let attempt = try #require(
            JoinAttempt(token, name: "bert", linkKey: pair.key.octets, identity: bert, memberOf: nil))
        async let answer = knock(house, attempt, pair)
        #expect(await serve(house, &members).admitted?.node == bert.node)
        let book = try attempt.welcome(from: try await answer, now: now).book
        #expect(book.members == [bert.node, house.identity.node])
        let stored = try #require(try ClusterStore(queue, lane: InlineLane()).load())
        #expect(stored.book.members == book.members)

        let carl = Ed25519PrivateKey.generate()
        let other = try LinkKeyPair.generate()
        let second = try #require(
            JoinAttempt(token, name: "carl", linkKey: other.key.octets, identity: carl, memberOf: nil))
        async let refusal = knock(house, second, other)
        #expect(await serve(house, &members).refusal == .used)
        let words = try await refusal
        #expect(throws: JoinRefusal.used) { try second.welcome(from: words, now: now) }
        house.transport.shutdown()
    }

    @Test("while nothing can be stored nobody is let in, and who asks again later is")
    func storeFails() async throws {
        let house = try await house()
        var members = house.book
        let token = token(2, at: house.identity.node, house.pair.key)
        let pair = try LinkKeyPair.generate()
        let attempt = try #require(
            JoinAttempt(
                token, name: "bert", linkKey: pair.key.octets, identity: .generate(), memberOf: nil))
        queue.fail(1, with: .full)
        async let silence: Result<[UInt8], DoorCallError> = {
            do throws(DoorCallError) {
                return .success(try await knock(house, attempt, pair, timeout: .milliseconds(500)))
            } catch { return .failure(error) }
        }()
        #expect(await serve(house, &members).failure == .full)
        guard case .failure = await silence else {
            Issue.record("an answer, although nothing was stored")
            return
        }
        #expect(members.members.count == 1)
        async let answer = knock(house, attempt, pair)
        #expect(await serve(house, &members).admitted != nil)
        #expect(try attempt.welcome(from: try await answer, now: now).book.members.count == 2)
        house.transport.shutdown()
    }
}
