import MailValues
import Testing

@testable import Membership

@Suite struct FrameTests {
    static let cluster = ClusterID(octets: (0..<16).map { UInt8($0) })!
    static let sender = Sender(
        node: node(7), incarnation: 3, nonce: 0xFFFF_FFFF_FFFF_FFFF, refutation: 2, state: .draining)
    static let claims = [
        Claim(node: node(1), incarnation: 1, state: .suspect, accuser: node(2)),
        Claim(node: node(3), incarnation: 9, refutation: 4, state: .parked, remaining: .milliseconds(1_234)),
    ]
    static let messages: [ProbeMessage] = [
        .probe(number: 1, view: 2, claims: claims), .ack(number: .max, view: .max, claims: []),
        .ask(number: 1, target: node(2), claims: claims), .relayedAck(number: 2, target: node(2), claims: []),
        .nack(number: 3, target: node(3), claims: []), .rumours(claims), .sync(claims), .askLastSeen,
        .lastSeen(LastSeen(incarnation: 1, nonce: 2, refutation: 3, state: .left, heardAgo: .seconds(4))),
        .lastSeen(LastSeen(incarnation: 0, nonce: 0, refutation: 0, state: .joining, heardAgo: nil)),
        .cloned(nonce: 5),
    ]

    @Test("what is written is read again", arguments: messages)
    func roundTrips(message: ProbeMessage) throws {
        let frame = Frame(
            cluster: Self.cluster, sender: Self.sender, age: .milliseconds(250), body: .probing(message))
        #expect(try Frame(decoding: frame.octets) == frame)
    }

    @Test("cut at every octet, a frame is refused or says less, and never more", arguments: messages)
    func cuts(message: ProbeMessage) {
        let octets = Frame(cluster: Self.cluster, sender: Self.sender, body: .probing(message)).octets
        for cut in 0..<octets.count {
            guard let frame = try? Frame(decoding: Array(octets[..<cut])) else { continue }
            #expect(frame.cluster == Self.cluster)
        }
    }

    @Test("a field that nobody knows yet is skipped, and a body that nobody knows yet is no error")
    func skipsUnknown() throws {
        let frame = Frame(cluster: Self.cluster, sender: Self.sender, body: .probing(Self.messages[0]))
        let field: [UInt8] = [0xFA, 0x3F, 3, 1, 2, 3]  // number 1023, three octets
        #expect(try Frame(decoding: frame.octets + field) == frame)
        let unknown = Frame(cluster: Self.cluster, sender: Self.sender, body: .unknown)
        #expect(try Frame(decoding: unknown.octets + field) == unknown)
    }

    @Test("another version, too many claims, odd keys and numbers that nobody counts to are refused")
    func refuses() {
        let good = Frame(cluster: Self.cluster, sender: Self.sender, body: .probing(.askLastSeen)).octets
        #expect(throws: FrameError.version(2)) { try Frame(decoding: [0x08, 2] + good.dropFirst(2)) }
        #expect(throws: FrameError.version(0)) { try Frame(decoding: Array(good.dropFirst(2))) }
        #expect(throws: FrameError.tooLong) {
            try Frame(decoding: [UInt8](repeating: 0, count: Frame.octetLimit + 1))
        }
        let many = (0..<7).map { Claim(node: node($0), incarnation: 1, state: .alive) }
        let crowd = Frame(
            cluster: Self.cluster, sender: Self.sender,
            body: .probing(.probe(number: 1, view: 1, claims: many)))
        #expect(throws: FrameError.malformed("number of claims")) { try Frame(decoding: crowd.octets) }
        var high = Self.sender
        high.incarnation = .max
        let boast = Frame(cluster: Self.cluster, sender: high, body: .probing(.askLastSeen))
        #expect(throws: FrameError.malformed("sender")) { try Frame(decoding: boast.octets) }
    }

    @Test("a probe in quiet times fits in a hundred and twenty octets")
    func isSmall() {
        let probe = ProbeMessage.probe(number: 100_000, view: .max, claims: [])
        let octets = Frame(cluster: Self.cluster, sender: Self.sender, body: .probing(probe)).octets
        #expect(octets.count <= 120)
    }
}
