import Cryptography
import MailValues
import NIOCore
import NIOEmbedded
import NIOPosix
import SMTPProtocol
import TestSupport
import Testing

@testable import SMTPTransport

@Suite("The dialer")
struct ClientDialerTests {
    private let group = MultiThreadedEventLoopGroup.singleton

    private func target(
        _ port: UInt16, tls: DialTarget.TLSMode = .none, credentials: DialTarget.Credentials? = nil,
        language: DialTarget.Language = .smtp, source: IPAddress? = nil
    ) -> DialTarget {
        DialTarget(
            address: .v4(0x7F00_0001), port: port, hostName: "mx.example.org", source: source,
            language: language, tls: tls,
            credentials: credentials, helloName: "us.example")
    }

    private func envelope(_ recipients: [String] = ["b"], size: Int = 100) -> OutboundTransaction {
        OutboundTransaction(
            reversePath: .mailbox(Mailbox(localPart: "a", domain: Domain("us.example"))),
            recipients: recipients.map {
                .init(mailbox: Mailbox(localPart: $0, domain: Domain("mx.example.org")))
            },
            sizeOctets: size)
    }

    private func dialer(
        _ tls: TLSClientContext? = nil, _ change: (inout DialerSettings) -> Void = { _ in }
    ) -> SMTPDialer {
        var settings = DialerSettings()
        change(&settings)
        return SMTPDialer(group: group, clientTLS: tls, settings: settings)
    }

    /// What a dial fails with, or nil.
    private func failure(_ dialer: SMTPDialer, _ target: DialTarget) async -> DialError? {
        do throws(DialError) {
            let connection = try await dialer.dial(target)
            connection.abort()
            return nil
        } catch { return error }
    }

    private static let queued = TransactionOutcome.RecipientOutcome.delivered(
        Reply(250, EnhancedStatus(2, 0, 0), "queued"))

    @Test(
        "carries many messages over one connection",
        arguments: [["PIPELINING"], ["PIPELINING", "CHUNKING"], ["SIZE"], ["CHUNKING"]])
    func manyMessages(_ offers: [String]) async throws {
        let server = try await ScriptedServer(.init(offers: offers), group: group)
        let connection = try await dialer().dial(target(server.port))
        for _ in 0..<5 {
            let outcome = await connection.send(
                envelope(["b", "c"]), content: ClientContent("x: y\r\n\r\n.dot\r\n"))
            #expect(
                outcome == TransactionOutcome(recipients: [Self.queued, Self.queued], connectionUsable: true))
        }
        #expect(connection.isUsable)
        await connection.quit()
        #expect(!connection.isUsable)
        let line = offers.contains("CHUNKING") ? ".dot" : "..dot"
        let seen = server.seen
        #expect(seen.content == Array(String(repeating: "x: y\r\n\r\n\(line)\r\n", count: 5).utf8))
        #expect(seen.connections == 1)
        #expect(seen.commands.last == "QUIT")
        try await server.stop()
    }

    @Test(
        "carries what is longer than its read-ahead and any socket buffer",
        arguments: [["PIPELINING"], ["PIPELINING", "CHUNKING"], ["CHUNKING"], []])
    func longMessage(_ offers: [String]) async throws {
        let server = try await ScriptedServer(.init(offers: offers), group: group)
        let connection = try await dialer().dial(target(server.port))
        let line = Array("0123456789012345678901234567890123456789012345678901234567890123456789\r\n".utf8)
        let piece = Array(repeatElement(line, count: 1_000).joined())
        let batches = Array(repeating: [piece, piece], count: 10)
        let outcome = await connection.send(envelope(size: 20 * piece.count), content: ClientContent(batches))
        #expect(outcome == TransactionOutcome(recipients: [Self.queued], connectionUsable: true))
        #expect(server.seen.content == Array(batches.joined().joined()))
        await connection.quit()
        try await server.stop()
    }

    @Test("hears refusals, and goes on after them")
    func refusals() async throws {
        let behaviour = ScriptedServer.Behaviour(
            replies: [("RCPT TO:<nobody", "550 5.1.1 who"), ("DATA", "354 go"), (".", "250 2.0.0 queued")])
        let server = try await ScriptedServer(behaviour, group: group)
        let connection = try await dialer().dial(target(server.port))
        let refused = TransactionOutcome.RecipientOutcome.refused(
            Reply(550, EnhancedStatus(5, 1, 1), "who"), command: "RCPT")
        let mixed = await connection.send(envelope(["nobody", "b"]), content: ClientContent("x\r\n"))
        #expect(mixed.recipients == [refused, Self.queued])
        await connection.quit()
        try await server.stop()
    }

    @Test(
        "says whether the message may have arrived when the peer hangs up",
        arguments: [("MAIL", false), ("DATA", false), (".", true)])
    func hangUp(_ command: String, _ afterDot: Bool) async throws {
        let server = try await ScriptedServer(.init(replies: [(command, nil)]), group: group)
        let connection = try await dialer().dial(target(server.port))
        let outcome = await connection.send(envelope(), content: ClientContent("x\r\n"))
        #expect(!outcome.connectionUsable)
        guard case .lost(_, let seen) = outcome.recipients.first else {
            Issue.record("\(outcome) is no loss")
            return
        }
        #expect(seen == afterDot)
        #expect(!connection.isUsable)
        let again = await connection.send(envelope(), content: ClientContent("x\r\n"))
        #expect(again.recipients == [.lost(detail: "the connection was closed", afterDot: false)])
        await connection.quit()
        try await server.stop()
    }

    @Test("says of a message in hand that it was us who cut it off, and not the peer")
    func abort() async throws {
        // Behind the content it begins a reply that never ends.
        let server = try await ScriptedServer(
            .init(replies: [(command: ".", reply: "250-wait")]), group: group)
        let connection = try await dialer().dial(target(server.port))
        async let outcome = connection.send(envelope(), content: ClientContent("x\r\n"))
        while !server.seen.commands.contains("DATA") { await Task.yield() }
        connection.abort()
        #expect(await outcome.recipients.first.map { "\($0)" }?.contains("cut off by us") == true)
        #expect(!connection.isUsable)
        try await server.stop()
    }

    @Test(
        "gives up a message that cannot be read, and only after a part is sent the connection too",
        arguments: [0, 3])
    func unreadable(_ failsAfter: Int) async throws {
        let server = try await ScriptedServer(group: group)
        let connection = try await dialer { $0.readAheadOctets = 10 }.dial(target(server.port))
        let batches = Array(repeating: [Array("0123456789\r\n".utf8)], count: 10)
        let outcome = await connection.send(
            envelope(), content: ClientContent(batches, failsAfter: failsAfter))
        #expect(outcome.recipients == [.lost(detail: "our own content could not be read", afterDot: false)])
        #expect(outcome.connectionUsable == (failsAfter == 0))
        connection.abort()
        try await server.stop()
    }

    @Test("speaks TLS where it is offered, and says what was agreed")
    func startTLS() async throws {
        let identity = TLSFixtures.host
        let server = try await ScriptedServer(
            .init(
                tls: try TLSServerContext(
                    settings: TLSServerSettings(identities: [
                        TLSIdentity(
                            certificate: Array(identity.certificate.utf8), key: Array(identity.key.utf8),
                            name: "host")
                    ]))), group: group)
        let connection = try await dialer(TLSClientContext()).dial(target(server.port, tls: .may))
        #expect(connection.tls?.version == "TLSv1.3")
        let outcome = await connection.send(envelope(), content: ClientContent("x\r\n"))
        #expect(outcome.recipients == [Self.queued])
        #expect(server.seen.commands.prefix(3) == ["EHLO us.example", "STARTTLS", "EHLO us.example"])
        await connection.quit()
        let strict = await failure(
            dialer(try TLSClientContext()), target(server.port, tls: .verify(names: ["mx.example.org"])))
        guard case .tlsFailed = strict else {
            Issue.record("a certificate of an unknown authority was taken: \(String(describing: strict))")
            return
        }
        try await server.stop()
    }

    @Test(
        "words behind the reply to STARTTLS end the session without a handshake, and are no failed one",
        arguments: ["250 injected", "2"])
    func injected(_ words: String) async throws {
        let server = try await ScriptedServer(
            .init(offers: ["STARTTLS"], replies: [("STARTTLS", "220 go\r\n\(words)")]), group: group)
        for mode in [DialTarget.TLSMode.may, .require] {
            let error = await failure(dialer(try TLSClientContext()), target(server.port, tls: mode))
            #expect(error == .broken(detail: "words in clear behind the reply to STARTTLS"))
        }
        try await server.untilClosed()
        // A ClientHello would stand here as a command.
        #expect(
            server.seen.commands == ["EHLO us.example", "STARTTLS", "EHLO us.example", "STARTTLS"]
                && server.seen.leftOver.isEmpty)
        try await server.stop()
    }

    @Test("proves that it knows the password, and takes no server that does not")
    func scram() async throws {
        let verifier = ScramVerifier(password: Array("secret".utf8), salt: [1, 2, 3, 4], iterations: 4_096)
        let server = try await ScriptedServer(.init(verifier: verifier), group: group)
        let right = DialTarget.Credentials(user: "user", password: "secret")
        let connection = try await dialer().dial(target(server.port, credentials: right))
        #expect(
            await connection.send(envelope(), content: ClientContent("x\r\n")).recipients == [Self.queued])
        await connection.quit()
        let wrong = await failure(
            dialer(),
            target(server.port, credentials: DialTarget.Credentials(user: "user", password: "guess")))
        #expect(wrong == .refused(Reply(535, EnhancedStatus(5, 7, 8), "no"), during: "AUTH"))
        try await server.stop()
        let liar = try await ScriptedServer(
            .init(offers: ["AUTH SCRAM-SHA-256"], replies: [("AUTH", "235 2.7.0 welcome")]), group: group)
        let unproven = await failure(dialer(), target(liar.port, credentials: right))
        #expect(unproven == .broken(detail: "unexpected reply to AUTH: 235 2.7.0 welcome (at AUTH)"))
        try await liar.stop()
    }

    @Test("reports why there is no session")
    func failures() async throws {
        let server = try await ScriptedServer(.init(replies: [("connect", "554 5.7.1 no")]), group: group)
        let refused = await failure(dialer(), target(server.port))
        #expect(refused == .refused(Reply(554, EnhancedStatus(5, 7, 1), "no"), during: "connection"))
        let missing = await failure(dialer(), target(server.port, tls: .require))
        #expect(missing == .refused(Reply(554, EnhancedStatus(5, 7, 1), "no"), during: "connection"))
        try await server.stop()
        let nobody = UnheardPort()
        let closed = await failure(dialer(), target(nobody.number))
        nobody.release()
        #expect(closed == .notConnected(detail: "connection refused"))
        let foreign = await failure(dialer(), target(server.port, source: .v4(0xC000_0201)))
        #expect(foreign == .notConnected(detail: "the source address is not ours"))
        let plain = try await ScriptedServer(group: group)
        #expect(await failure(dialer(), target(plain.port, tls: .require)) == .tlsNotOffered)
        let bound = try await dialer().dial(target(plain.port, source: .v4(0x7F00_0005)))
        await bound.quit()
        try await plain.stop()
    }

    @Test("leaves it to the dialer to say why nothing was connected")
    func neverConnected() throws {
        let channel = EmbeddedChannel()
        let opening = channel.eventLoop.makePromise(of: OpenedSession.self)
        let handler = ClientHandler(
            target: target(25), settings: DialerSettings(), tlsContext: nil, opening: opening)
        try channel.pipeline.syncOperations.addHandler(handler)
        _ = try channel.finish()
        opening.fail(DialError.notConnected(detail: "refused"))
        #expect(throws: DialError.notConnected(detail: "refused")) { try opening.futureResult.wait() }
    }

    @Test("waits for a silent peer no longer than it is told")
    func silence() async throws {
        let server = try await ScriptedServer(.init(isSilent: true), group: group)
        let seen = await failure(dialer { $0.timeouts.greeting = .milliseconds(50) }, target(server.port))
        #expect(seen == .broken(detail: "no reply to connection in time (at connection)"))
        try await server.stop()
    }

    @Test("lets go of a silent peer as soon as nobody wants the connection any more")
    func cancelled() async throws {
        let server = try await ScriptedServer(.init(isSilent: true), group: group)
        let target = target(server.port)
        let dial = Task { await failure(dialer(), target) }
        while server.seen.connections == 0 { await Task.yield() }
        dial.cancel()
        #expect(await dial.value != nil)
        let late = Task { await failure(dialer(), target) }
        late.cancel()
        #expect(await late.value != nil)
        try await server.stop()
    }

    @Test("runs on the event loop of its connection when its caller does")
    func onTheLoop() async throws {
        let server = try await ScriptedServer(group: group)
        let connection = try await dialer().dial(target(server.port))
        let loop = try #require(connection as? SMTPClientConnection).eventLoop
        let task = Task(executorPreference: EventLoopLane(loop)) {
            let outcome = await connection.send(self.envelope(), content: ClientContent("x\r\n"))
            return (outcome, loop.inEventLoop)
        }
        let (outcome, wasInLoop) = await task.value
        #expect(outcome.recipients == [Self.queued])
        #expect(wasInLoop)
        await connection.quit()
        try await server.stop()
    }
}
