import Convergence
import Cryptography
import Filtering
import MailValues
import Membership
import Reputation
import Synchronization

@testable import RelayNode

/// Node 1's knowledge of the world, what it says and whom it tells, on a clock that stands.
final class KnowledgeFixture: Sendable {
    final class Ear: FactSayer {
        private let state = Mutex<[(kind: FactKind, subject: [UInt8])]>([])
        var said: [(kind: FactKind, subject: [UInt8])] { state.withLock { $0 } }
        func say<F: Fact>(_ fact: F, about subject: F.Subject, lifetime: Duration?) {
            state.withLock { $0.append((F.description.kind, F.octets(of: subject))) }
        }
    }

    private static let cluster = ClusterID(octets: [UInt8](repeating: 9, count: 16))!
    private static let operatorKey = Ed25519PrivateKey(seed: [UInt8](repeating: 5, count: 32))!
    static let outside = IPAddress("198.51.100.9")!
    static let network = BlockSubject.network(Network("198.51.100.9")!)
    static let fingerprint = Fingerprint(.body, digest: [UInt8](repeating: 3, count: 32))!

    let ear = Ear()
    let knowledge: SharedKnowledge
    private let milliseconds: @Sendable (Int64) -> Int64
    private let touched = Mutex<[Fingerprint]>([])
    private let counter = Mutex<UInt64>(0)

    static func node(_ number: UInt8) -> NodeID { NodeID(octets: [UInt8](repeating: number, count: 32))! }

    init(protected: [Network] = [], follows: Bool = true) {
        let time = Moment()
        var settings = SharedKnowledge.Settings()
        settings.protected = NetworkSet(protected)
        settings.follows = follows
        knowledge = SharedKnowledge(node: SharedKnowledge.nobody, settings: settings) { time.reading }
        milliseconds = { time.advance($0) }
        knowledge.join(as: Self.node(1), sayer: ear)
        knowledge.watchVerdicts { [weak self] fingerprints in
            self?.touched.withLock { $0 += fingerprints }
        }
    }

    private final class Moment: Sendable {
        private let elapsed = Mutex<Int64>(0)
        var reading: ClockReading { reading(at: elapsed.withLock { $0 }) }
        func reading(at elapsed: Int64) -> ClockReading {
            ClockReading(
                uptime: Uptime(milliseconds: elapsed),
                wall: Timestamp(milliseconds: 1_800_000_000_000 + elapsed))
        }
        func advance(_ more: Int64) -> Int64 {
            elapsed.withLock {
                $0 += more
                return $0
            }
        }
    }

    /// The wall's clock.
    var now: Timestamp { Timestamp(milliseconds: 1_800_000_000_000 + milliseconds(0)) }

    func advance(_ duration: Duration) {
        _ = milliseconds(duration.wholeMilliseconds)
        knowledge.tick()
    }

    /// Fingerprints that were called out since the last look.
    func takeTouched() -> [Fingerprint] {
        touched.withLock { touched in
            defer { touched = [] }
            return touched
        }
    }

    // MARK: What others say

    func hear<F: Fact>(_ fact: F, about subject: F.Subject, from origin: UInt8) {
        let number = counter.withLock {
            $0 += 1
            return $0
        }
        let record = FactRecord(
            key: F.key(subject), counter: number, value: fact.octets, lifetime: 3_600_000, stamp: now)
        knowledge.apply([.said(Self.node(origin), record, age: 0)])
    }

    func hearBlock(_ subject: BlockSubject = network, from origins: UInt8...) {
        for origin in origins {
            hear(BlockFact(evidence: ["e\(origin)"], since: now), about: subject, from: origin)
        }
    }

    func hearVerdict(_ fingerprint: Fingerprint = fingerprint, from origins: UInt8...) {
        for origin in origins { hear(Self.verdict(at: now), about: fingerprint, from: origin) }
    }

    static func verdict(at moment: Timestamp) -> VerdictFact {
        VerdictFact(
            seen: 100, senders: 2, networks: 3, band: 15, first: moment, last: moment, isCertain: true)
    }

    func withdraw<F: Fact>(_: F.Type, about subject: F.Subject, by origin: UInt8) {
        knowledge.apply([.withdrawn(Self.node(origin), F.key(subject))])
    }

    // MARK: What the operator orders

    func order(
        _ kind: OrderKind, _ subject: [UInt8], _ number: UInt64, isLifted: Bool = false,
        payload: [UInt8] = [],
        expires: Timestamp? = nil
    ) -> Order {
        Order(
            Order.Subject(kind, subject), number: number, isLifted: isLifted, by: "anna", reason: "because",
            payload: payload, expires: expires, cluster: Self.cluster, key: Self.operatorKey)!
    }

    func block(
        _ subject: BlockSubject = network, number: UInt64 = 1, isLifted: Bool = false,
        expires: Timestamp? = nil
    ) {
        knowledge.apply(orders: [
            order(.block, subject.octets, number, isLifted: isLifted, expires: expires)
        ])
    }

    func condemn(_ fingerprint: Fingerprint = fingerprint, number: UInt64 = 1, isLifted: Bool = false) {
        knowledge.apply(orders: [order(.verdict, fingerprint.octets, number, isLifted: isLifted)])
    }

    func revoke(
        _ subject: Revocation.Subject, number: UInt64 = 2, isLifted: Bool = false, expires: Timestamp? = nil,
        covered: [NodeID: Version] = [:]
    ) {
        let revocation = Revocation(subject, covered: covered)
        knowledge.apply(orders: [
            order(
                .revocation, revocation.subjectOctets, number, isLifted: isLifted, payload: revocation.octets,
                expires: expires)
        ])
    }
}
