import Cryptography
import MailValues
import SMTPProtocol
import Synchronization
import Testing

@testable import Intake

/// Runs jobs when the test says so.
private final class HeldWorkers: PasswordWorkers {
    private let jobs = Mutex<[@Sendable () -> Void]>([])
    let limit: Int
    init(limit: Int = 100) { self.limit = limit }

    func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        jobs.withLock {
            guard $0.count < limit else { return false }
            $0.append(job)
            return true
        }
    }

    var count: Int { jobs.withLock { $0.count } }

    func run() {
        let taken = jobs.withLock { jobs in
            defer { jobs = [] }
            return jobs
        }
        for job in taken { job() }
    }
}

private final class InlineLane: Lane {
    func run(_ job: @escaping @Sendable () -> Void) { job() }
}

/// One client, and what it heard.
private final class Client: Sendable {
    let authenticator: Authenticator
    let workers: HeldWorkers
    let facts: ConnectionFacts
    let session = Mutex(AuthenticationSession())
    let heard = Mutex<[Answer]>([])

    init(
        _ authenticator: Authenticator, _ workers: HeldWorkers, from client: String = "192.0.2.1",
        tls: TLSFacts? = nil
    ) {
        self.authenticator = authenticator
        self.workers = workers
        facts = ConnectionFacts(
            session: 1, client: IPAddress(client)!, clientPort: 1, local: IPAddress("192.0.2.25")!,
            localPort: 587, tls: tls)
    }

    /// The answer, after the workers have worked.
    func say(_ step: AuthenticationStep, at seconds: Int64 = 0) -> Answer? {
        let now = Timestamp(seconds: seconds)
        let answer = session.withLock { session in
            authenticator.step(step, session: &session, facts: facts, now: now, lane: InlineLane()) {
                [self] answer in
                heard.withLock { $0.append(answer) }
            }
        }
        if let answer { return answer }
        workers.run()
        return heard.withLock { $0.popLast() }
    }

    /// The answer that comes at once, if one does; the workers stay where they are.
    func plainAtOnce(_ text: String, at seconds: Int64 = 0) -> Answer? {
        var session = AuthenticationSession()
        return authenticator.step(
            .begin(mechanism: "PLAIN", initialResponse: Array(text.utf8)), session: &session, facts: facts,
            now: Timestamp(seconds: seconds), lane: InlineLane(), reply: { _ in })
    }

    func plain(_ text: String, at seconds: Int64 = 0) -> Answer? {
        say(.begin(mechanism: "PLAIN", initialResponse: Array(text.utf8)), at: seconds)
    }
}

private let wrong = Answer.refuse(Reply(535, EnhancedStatus(5, 7, 8), "authentication failed"))

private extension Answer {
    var code: UInt16? { if case .refuse(let reply) = self { reply.code } else { nil } }
}

@Suite struct AuthenticatorTests {
    static let secret = [UInt8](repeating: 3, count: 32)

    static func account(_ name: String, _ password: String) -> Account {
        Account(
            name: PreparedName(name)!,
            verifier: ScramVerifier(password: Array(password.utf8), salt: [1, 2, 3], iterations: 4_096),
            senders: ["*"])
    }

    private func client(
        _ settings: AuthenticationSettings = AuthenticationSettings(), limit: Int = 100, tls: TLSFacts? = nil,
        certificates: CertificateAccounts = CertificateAccounts()
    ) -> Client {
        let workers = HeldWorkers(limit: limit)
        let table = AccountTable([Self.account("alice", "pencil")], certificates: certificates)
        return Client(
            Authenticator(accounts: table, settings: settings, serverSecret: Self.secret, workers: workers),
            workers, tls: tls)
    }

    @Test(
        "PLAIN takes the right name and password and nothing else",
        arguments: [
            ("\0alice\0pencil", Answer.authenticated(account: "alice")),
            ("\0ALICE\0pencil", .authenticated(account: "alice")),
            ("alice\0alice\0pencil", .authenticated(account: "alice")),
            ("bob\0alice\0pencil", wrong), ("\0alice\0Pencil", wrong), ("\0bob\0pencil", wrong),
            ("\0a b\0pencil", wrong),
            ("\0alice\0pen\ncil", wrong),
        ])
    func plain(message: String, answer: Answer) {
        #expect(client().plain(message) == answer)
    }

    @Test(
        "what is no message of PLAIN is 501",
        arguments: [
            "", "\0", "\0\0", "\0alice", "\0alice\0", "alice\0pencil", "\0a\0b\0c",
            String(repeating: "x", count: 5_000),
        ])
    func refusesMalformed(message: String) {
        #expect(client().plain(message)?.code == 501)
    }

    @Test("PLAIN without an initial response is asked for it; LOGIN asks twice")
    func asks() {
        let first = client()
        #expect(first.say(.begin(mechanism: "PLAIN", initialResponse: nil)) == .challenge([]))
        #expect(first.say(.response(Array("\0alice\0pencil".utf8))) == .authenticated(account: "alice"))
        let second = client()
        #expect(
            second.say(.begin(mechanism: "LOGIN", initialResponse: nil))
                == .challenge(Array("Username:".utf8)))
        #expect(second.say(.response(Array("alice".utf8))) == .challenge(Array("Password:".utf8)))
        #expect(second.say(.response(Array("pencil".utf8))) == .authenticated(account: "alice"))
        let third = client()
        #expect(
            third.say(.begin(mechanism: "LOGIN", initialResponse: Array("alice".utf8)))
                == .challenge(Array("Password:".utf8)))
        #expect(third.say(.response(Array("pencils".utf8))) == wrong)
    }

    @Test("an exchange that was cancelled or never begun goes nowhere")
    func forgets() {
        let client = client()
        #expect(client.say(.response(Array("\0alice\0pencil".utf8)))?.code == 503)
        _ = client.say(.begin(mechanism: "PLAIN", initialResponse: nil))
        #expect(client.say(.cancelled)?.code == 501)
        #expect(client.say(.response(Array("\0alice\0pencil".utf8)))?.code == 503)
        #expect(client.say(.begin(mechanism: "CRAM-MD5", initialResponse: nil))?.code == 504)
    }

    @Test("a password that was right a moment ago is not digested again, until it is changed or forgotten")
    func remembers() {
        let client = client()
        #expect(client.plain("\0alice\0pencil") == .authenticated(account: "alice"))
        #expect(client.plainAtOnce("\0alice\0pencil", at: 299) == .authenticated(account: "alice"))
        #expect(client.workers.count == 0)
        client.authenticator.adopt(AccountTable([Self.account("alice", "changed")]))
        #expect(client.plain("\0alice\0pencil", at: 299) == wrong)
        #expect(client.plain("\0alice\0changed", at: 299) == .authenticated(account: "alice"))
        client.authenticator.adopt(AccountTable([]))
        #expect(client.plain("\0alice\0changed", at: 299) == wrong)
    }

    @Test("when too many passwords wait, the next client hears 454 and is not blamed")
    func refusesWhenBusy() {
        let client = client(limit: 0)
        for _ in 0..<100 { #expect(client.plain("\0alice\0pencil")?.code == 454) }
        #expect(
            client.authenticator.memory.withLock {
                $0.failures.charge(
                    .init(from: client.facts.client, account: PreparedName("alice")),
                    now: Timestamp(seconds: 0))
            })
    }

    @Test("guessing stops at the limit, even for the right password, and is forgiven with time")
    func limitsGuesses() {
        let client = client()
        for guess in 0..<15 { #expect(client.plain("\0alice\0guess\(guess)") == wrong) }
        #expect(client.plain("\0alice\0pencil")?.code == 454)
        #expect(client.plain("\0alice\0pencil", at: 60) == .authenticated(account: "alice"))
    }

    @Test("a made-up name is treated as a real one: the same answers, the same limits, the same work")
    func hidesNames() {
        let client = client()
        for guess in 0..<15 { #expect(client.plain("\0ghost\0guess\(guess)") == wrong) }
        #expect(client.plain("\0ghost\0pencil")?.code == 454)
        #expect(client.plainAtOnce("\0spectre\0x") == nil)
        #expect(client.workers.count == 1)
    }

    @Test("a network that guesses many names is stopped; its neighbours in the /24 with it, others not")
    func limitsNetworks() {
        let first = client()
        for guess in 0..<30 { #expect(first.plain("\0user\(guess)\0x") == wrong) }
        #expect(first.plain("\0alice\0pencil")?.code == 454)
        let neighbour = Client(first.authenticator, first.workers, from: "192.0.2.200")
        #expect(neighbour.plain("\0alice\0pencil")?.code == 454)
        let other = Client(first.authenticator, first.workers, from: "198.51.100.1")
        #expect(other.plain("\0alice\0pencil") == .authenticated(account: "alice"))
    }

    @Test("who guesses from elsewhere does not lock out an owner who has logged in before")
    func keepsOwnersIn() {
        let owner = client()
        #expect(owner.plain("\0alice\0pencil") == .authenticated(account: "alice"))
        let stranger = Client(owner.authenticator, owner.workers, from: "198.51.100.1")
        for guess in 0..<15 { _ = stranger.plain("\0alice\0guess\(guess)") }
        #expect(stranger.plain("\0alice\0guess")?.code == 454)
        #expect(owner.plain("\0alice\0other") == wrong)
        #expect(owner.plain("\0alice\0pencil", at: 301) == .authenticated(account: "alice"))
    }

    @Test("who has guessed too often does not learn which password its owner has just used")
    func doesNotTellWhatIsRemembered() {
        let owner = client()
        #expect(owner.plain("\0alice\0pencil") == .authenticated(account: "alice"))
        let stranger = Client(owner.authenticator, owner.workers, from: "198.51.100.1")
        for guess in 0..<15 { #expect(stranger.plain("\0alice\0guess\(guess)") == wrong) }
        #expect(stranger.plain("\0alice\0pencil")?.code == 454)
        #expect(owner.plain("\0alice\0pencil") == .authenticated(account: "alice"))
    }

    @Test("one old password, repeated for ever, is refused for ever and counts once")
    func bearsOldClients() {
        let client = client()
        for _ in 0..<100 { #expect(client.plain("\0alice\0old") == wrong) }
        #expect(client.plain("\0alice\0pencil") == .authenticated(account: "alice"))
    }

    @Test("many guesses at once do not slip past the limit while the first is digested")
    func chargesInAdvance() {
        let client = client()
        let answers = (0..<20).compactMap { client.plainAtOnce("\0alice\0guess\($0)") }
        #expect(client.workers.count == 15)
        #expect(answers.map(\.code) == Array(repeating: 454, count: 5))
    }

    private func scram(
        _ client: Client, _ name: String, _ password: String, binding: ScramClient.Binding = .unsupported
    ) throws -> [Answer?] {
        var scram = ScramClient(name: name, password: password, binding: binding, entropy: Array(0..<18))
        let isPlus = if case .exporter = binding { true } else { false }
        var answers = [
            client.say(
                .begin(
                    mechanism: isPlus ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256",
                    initialResponse: scram.firstMessage))
        ]
        while case .challenge(let message)?? = answers.last {
            answers.append(client.say(.response(try scram.respond(to: message))))
        }
        return answers
    }

    @Test("SCRAM ends with the server's signature as a challenge, then 235")
    func scramSucceeds() throws {
        let answers = try scram(client(), "alice", "pencil")
        #expect(answers.count == 3)
        #expect(answers.last == .authenticated(account: "alice"))
    }

    @Test("SCRAM with a wrong password, or for a made-up name, fails at the proof")
    func scramFails() throws {
        let client = client()
        for (name, password) in [("alice", "pen"), ("ghost", "pencil")] {
            let answers = try scram(client, name, password)
            #expect(answers.count == 2)
            #expect(answers.last == wrong)
        }
    }

    @Test("a made-up name has the same salt each time")
    func scramSaltIsStable() {
        func salt() -> Substring? {
            guard
                case .challenge(let message)? = client().say(
                    .begin(mechanism: "SCRAM-SHA-256", initialResponse: Array("n,,n=ghost,r=x".utf8)))
            else { return nil }
            return String(decoding: message, as: UTF8.self).split(separator: ",").first { $0.hasPrefix("s=") }
        }
        #expect(salt() != nil)
        #expect(salt() == salt())
    }

    @Test("-PLUS is bound to the connection, and a client that was told there is none is warned")
    func scramBinds() throws {
        let tls = TLSFacts(version: "TLSv1.3", cipher: "x", exporter: Array(repeating: 5, count: 32))
        #expect(
            try scram(client(tls: tls), "alice", "pencil", binding: .exporter(tls.exporter)).last
                == .authenticated(account: "alice"))
        #expect(
            try scram(client(tls: tls), "alice", "pencil", binding: .exporter(Array(repeating: 6, count: 32)))
                .last == wrong)
        #expect(try scram(client(tls: tls), "alice", "pencil", binding: .notOffered) == [wrong])
        #expect(
            try scram(client(), "alice", "pencil", binding: .notOffered).last
                == .authenticated(account: "alice"))
    }

    @Test("guesses by SCRAM count, too")
    func scramIsLimited() throws {
        let client = client()
        for guess in 0..<15 { #expect(try scram(client, "alice", "guess\(guess)").last == wrong) }
        #expect(try scram(client, "alice", "pencil").last??.code == 454)
    }

    @Test("EXTERNAL is who the certificate says, and nobody else")
    func external() {
        let accounts = CertificateAccounts(
            byFingerprint: ["ab": "alice"], byName: ["client.example.test": "bob"])
        func answer(_ asked: String?, fingerprint: String?, names: [String] = []) -> Answer? {
            let tls = TLSFacts(
                version: "TLSv1.3", cipher: "x", peerFingerprint: fingerprint, verifiedPeerNames: names)
            return client(tls: tls, certificates: accounts).say(
                .begin(mechanism: "EXTERNAL", initialResponse: asked.map { Array($0.utf8) }))
        }
        #expect(answer("", fingerprint: "ab") == .authenticated(account: "alice"))
        #expect(answer("ALICE", fingerprint: "ab") == .authenticated(account: "alice"))
        #expect(answer("bob", fingerprint: "ab") == wrong)
        #expect(
            answer("", fingerprint: "cd", names: ["client.example.test"]) == .authenticated(account: "bob"))
        #expect(answer("", fingerprint: "cd") == wrong)
        #expect(answer("", fingerprint: nil) == wrong)
        #expect(answer(nil, fingerprint: "ab") == .challenge([]))
        #expect(client().say(.begin(mechanism: "EXTERNAL", initialResponse: [])) == wrong)
    }
}
