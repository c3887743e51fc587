import MailValues
import NIOCore
import SMTPProtocol
import TestSupport
import Testing

@testable import SMTPTransport

@Suite struct TLSContextTests {
    struct Verification: Sendable, CustomTestStringConvertible {
        let names: [String]
        let isTaken: Bool
        var sni = "mx.example.test"
        var testDescription: String { "\(names) at \(sni): \(isTaken)" }
    }

    @Test(
        "a verified connection needs one of the names, as RFC 9525 reads them",
        arguments: [
            Verification(names: ["mx.example.test"], isTaken: true),
            Verification(names: ["MX.Example.TEST"], isTaken: true),
            Verification(names: ["other.example.test", "mx.example.test"], isTaken: true),
            Verification(names: ["other.example.test"], isTaken: false),
            Verification(names: ["common.example.test"], isTaken: false),  // RFC 9525 §2
            Verification(names: ["192.0.2.25"], isTaken: true),
            Verification(names: ["[192.0.2.25]"], isTaken: true),
            Verification(names: ["192.0.2.26"], isTaken: false),
            Verification(names: [], isTaken: false),
            Verification(names: ["a.wild.example.test"], isTaken: true, sni: "a.wild.example.test"),
            Verification(names: ["a.b.wild.example.test"], isTaken: false, sni: "a.wild.example.test"),
            Verification(names: ["wild.example.test"], isTaken: true, sni: "wild.example.test"),
        ])
    func verifies(sample: Verification) throws {
        let pair = try TLSPair(
            server: .fixture([TLSFixtures.host, TLSFixtures.wildcard]), client: .fixture(), name: sample.sni,
            mode: .verify(names: sample.names))
        try pair.carry()
        #expect((pair.clientFacts != nil) == sample.isTaken)
        #expect((pair.serverSeen.completions == 1) == sample.isTaken)
        #expect(pair.clientOutcome != nil)
        pair.finish()
    }

    @Test("a certificate of an unknown authority is refused by name, and only where it matters")
    func distrusts() throws {
        let pair = try TLSPair(
            server: .fixture([TLSFixtures.stranger]), client: .fixture(),
            mode: .verify(names: ["client.example.test"]))
        try pair.carry()
        guard case .certificateRefused(let detail)? = pair.clientSeen.errors.first else {
            Issue.record("not refused: \(pair.clientSeen.errors)")
            return
        }
        #expect(detail.contains("self-signed") || detail.contains("self signed"))
        for mode in [DialTarget.TLSMode.may, .require] {
            let lenient = try TLSPair(
                server: .fixture([TLSFixtures.stranger]), client: .fixture(), mode: mode)
            try lenient.carry()
            #expect(lenient.clientFacts != nil)
            #expect(lenient.clientFacts?.verifiedPeerNames == [])
            lenient.finish()
        }
        pair.finish()
    }

    @Test("a server shows the certificate of the name asked for, else the first")
    func answersToNames() throws {
        let server = try TLSServerContext.fixture([TLSFixtures.host, TLSFixtures.wildcard])
        func shown(_ name: String) throws -> String? {
            let pair = try TLSPair(server: server, client: .fixture(), name: name)
            try pair.carry()
            defer { pair.finish() }
            return pair.clientFacts?.peerFingerprint
        }
        let host = try #require(try shown("mx.example.test"))
        let wildcard = try #require(try shown("x.wild.example.test"))
        #expect(host != wildcard)
        #expect(try shown("X.WILD.example.test") == wildcard)
        #expect(try shown("wild.example.test") == wildcard)
        #expect(try shown("x.y.wild.example.test") == host)
        #expect(try shown("unknown.example.test") == host)
        #expect(try shown("192.0.2.25") == host)
    }

    @Test("two kinds of key for the same names go together, and clients choose")
    func showsBothKeys() throws {
        let context = try TLSServerContext.fixture([TLSFixtures.host, TLSFixtures.hostRSA])
        #expect(context.certificates.count == 2)
        #expect(context.certificates.allSatisfy { $0.names == ["mx.example.test"] })
        #expect(context.certificates.allSatisfy { $0.notAfter > Timestamp(seconds: 4_000_000_000) })
    }

    @Test("a second certificate with the same kind of key never takes the place of the first")
    func keepsTheFirst() throws {
        func shown(_ identities: [TLSFixtures.Identity]) throws -> String? {
            let pair = try TLSPair(
                server: .fixture(identities), client: .fixture(), name: "client.example.test")
            try pair.carry()
            defer { pair.finish() }
            return pair.clientFacts?.peerFingerprint
        }
        // The client's and the stranger's certificate share a name.
        #expect(try shown([TLSFixtures.client, TLSFixtures.stranger]) == shown([TLSFixtures.client]))
        #expect(try shown([TLSFixtures.stranger, TLSFixtures.client]) == shown([TLSFixtures.stranger]))
        #expect(
            try shown([TLSFixtures.host, TLSFixtures.host, TLSFixtures.client]) == shown([TLSFixtures.client])
        )
    }

    @Test("new sessions get the new certificate, running ones go on")
    func reloads() throws {
        let store = TLSServerContextStore(try .fixture([TLSFixtures.host]))
        let old = try TLSPair(server: store.current, client: .fixture())
        try old.carry()
        store.replace(with: try .fixture([TLSFixtures.wildcard]))
        let new = try TLSPair(server: store.current, client: .fixture())
        try new.carry()
        #expect(old.clientFacts?.peerFingerprint != new.clientFacts?.peerFingerprint)
        old.client.writeAndFlush(ByteBuffer(string: "NOOP\r\n"), promise: nil)
        try old.carry()
        #expect(old.serverSeen.octets == Array("NOOP\r\n".utf8))
        old.finish()
        new.finish()
    }

    @Test("a client certificate gives its fingerprint always, its names only under the named authority")
    func asksClients() throws {
        func facts(_ identity: TLSFixtures.Identity?, authorities: String?) throws -> TLSFacts? {
            let clients = TLSServerSettings.ClientCertificates.asked(
                authorities: authorities.map { Array($0.utf8) })
            let pair = try TLSPair(server: .fixture(clients: clients), client: .fixture(identity: identity))
            try pair.carry()
            defer { pair.finish() }
            return pair.serverFacts
        }
        let known = try #require(try facts(TLSFixtures.client, authorities: TLSFixtures.authority))
        #expect(known.peerFingerprint?.count == 64)
        #expect(known.verifiedPeerNames == ["client.example.test", "alice@example.test"])
        let unasked = try #require(try facts(TLSFixtures.client, authorities: nil))
        #expect(unasked.peerFingerprint == known.peerFingerprint)
        #expect(unasked.verifiedPeerNames == [])
        let stranger = try #require(try facts(TLSFixtures.stranger, authorities: TLSFixtures.authority))
        #expect(stranger.peerFingerprint?.count == 64)
        #expect(stranger.verifiedPeerNames == [])
        let silent = try #require(try facts(nil, authorities: TLSFixtures.authority))
        #expect(silent.peerFingerprint == nil)
        #expect(silent.verifiedPeerNames == [])
    }

    @Test("a key that does not fit, or is none, is an error that names the certificate")
    func refusesWrongKeys() throws {
        func made(_ certificate: String, _ key: String) throws -> TLSServerContext {
            try TLSServerContext(
                settings: TLSServerSettings(identities: [
                    TLSIdentity(certificate: Array(certificate.utf8), key: Array(key.utf8), name: "mx")
                ]))
        }
        #expect(throws: TLSConfigurationError.keyDoesNotMatch(name: "mx")) {
            try made(TLSFixtures.host.certificate, TLSFixtures.wildcard.key)
        }
        #expect(throws: TLSConfigurationError.self) { try made(TLSFixtures.host.certificate, "nothing") }
        #expect(throws: TLSConfigurationError.self) { try made("nothing", TLSFixtures.host.key) }
        #expect(throws: TLSConfigurationError.noIdentity) {
            try TLSServerContext(settings: TLSServerSettings(identities: []))
        }
    }
}
