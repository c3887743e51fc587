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

    @Test("a place is read again, and one without ports is none")
    func place() throws {
        let contact = LinkContact(
            address: IPAddress("2001:db8::7")!, controlPort: 7946, bulkPort: 7947)
        let frame = Frame(cluster: Self.cluster, sender: Self.sender, body: .contact(contact))
        #expect(try Frame(decoding: frame.octets) == frame)
        let nowhere = Frame(
            cluster: Self.cluster, sender: Self.sender,
            body: .contact(LinkContact(address: contact.address, controlPort: 0, bulkPort: 1)))
        #expect(throws: FrameError.malformed("contact")) { try Frame(decoding: nowhere.octets) }
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

    /// A field of octets, as the wire has it.
    fileprivate static func field(_ number: UInt64, _ octets: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(UInt64(octets.count)) + octets
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + varint(value >> 7)
    }

    struct Crowd: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// Fields from the outermost to that which is repeated.
        var path: [UInt64]
        var limit: Int
        init(_ name: String, _ path: [UInt64], _ limit: Int) {
            testDescription = name
            self.path = path
            self.limit = limit
        }

        func octets(_ count: Int) -> [UInt8] {
            let many = [[UInt8]](repeating: FrameTests.field(path.last!, []), count: count).flatMap { $0 }
            return path.dropLast().reversed().reduce(many) { FrameTests.field($1, $0) }
        }
    }

    @Test(
        "a frame of more parts than any may have is refused before one of them is built",
        arguments: [
            Crowd("probes", [16], 1), Crowd("relays", [20], 1), Crowd("last seen", [24], 1),
            Crowd("claims of a probe", [17, 3], 4_096), Crowd("claims of a relay", [18, 3], 4_096),
            Crowd("claims of a sync", [22, 1], 4_096), Crowd("batches", [32, 1], 2_048),
            Crowd("pushes", [32, 2], 1), Crowd("pushed facts", [32, 2, 1], 16_384),
            Crowd("marks", [32, 4, 1], 4_096), Crowd("deltas", [32, 5, 1], 4_096),
            Crowd("facts of a delta", [32, 5, 1, 6], 16_384),
        ])
    func boundsParts(_ crowd: Crowd) {
        #expect(throws: Never.self) { try FrameScan.check(crowd.octets(crowd.limit)) }
        #expect(throws: FrameError.malformed("number of parts")) {
            try FrameScan.check(crowd.octets(crowd.limit + 1))
        }
        let good = Frame(cluster: Self.cluster, sender: Self.sender, body: .unknown).octets
        #expect(throws: FrameError.malformed("number of parts")) {
            try Frame(decoding: good + crowd.octets(crowd.limit + 1))
        }
    }

    @Test("parts spread over many bodies are counted together")
    func countsOverBodies() {
        let crowd =
            Self.field(16, Crowd("", [3], 0).octets(3_000)) + Self.field(21, Crowd("", [1], 0).octets(3_000))
        #expect(throws: FrameError.malformed("number of parts")) { try FrameScan.check(crowd) }
    }

    @Test(
        "what is no list of fields is refused, what nobody knows is passed over",
        arguments: [
            ([], true), ([0x08], false), ([0x08, 0x80], false),
            ([0x08] + [UInt8](repeating: 0x80, count: 10), false),
            ([0x09, 1, 2, 3, 4, 5, 6, 7, 8], true), ([0x09, 1, 2, 3], false), ([0x0D, 1, 2, 3, 4], true),
            ([0x0D, 1], false), ([0x12, 2, 1], false), ([0x12, 1, 1], true), ([0x0B, 0x0C], false),
            ([0x0E], false),
            ([0x12] + [UInt8](repeating: 0xFF, count: 9) + [1], false),
            // A message where the schema has a number, and the other way round.
            ([0x80, 0x01, 5], true), ([0x0A, 3, 0xFF, 0xFF, 0xFF], true),
            // Within a part as without.
            ([0x82, 0x01, 1, 0x08], false),
        ] as [([UInt8], Bool)])
    func scansFields(_ octets: [UInt8], _ passes: Bool) {
        #expect(((try? FrameScan.check(octets)) != nil) == passes)
    }

    @Test("a probe in quiet times fits in a hundred and twenty octets")
    func isSmall() {
        let probe = ProbeMessage.probe(number: 100_000, view: .max, claims: [])
        let octets = Frame(cluster: Self.cluster, sender: Self.sender, body: .probing(probe)).octets
        #expect(octets.count <= 120)
    }
}
