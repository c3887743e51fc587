import Cryptography
import MailValues
import Testing

@testable import Membership

/// A cluster of one, its operator, and whoever comes to the door.
struct Town {
    var dice = Dice(state: 7)
    let cluster: ClusterID
    let operatorKey: Ed25519PrivateKey
    let founder: Ed25519PrivateKey
    let founderLink = [UInt8](repeating: 1, count: 32)
    var book: AdmissionBook
    let now = Timestamp(seconds: 1_000)

    init(seed: UInt64 = 7) {
        dice = Dice(state: seed)
        cluster = ClusterID(using: &dice)
        operatorKey = .generate(using: &dice)
        founder = .generate(using: &dice)
        book = AdmissionBook(cluster: cluster, operatorKey: operatorKey.publicKey)
        let token = token(number: 1)
        let link = LinkCertificate(linkKey: founderLink, serial: 1, by: founder, in: cluster)
        let taken = book.take(.founding(token, name: "one", link: link, identity: founder))
        precondition(taken == .taken)
    }

    mutating func token(
        number: UInt64, expires: Timestamp = Timestamp(seconds: 4_600), by key: Ed25519PrivateKey? = nil,
        door: NodeID? = nil
    ) -> Token {
        Token(
            cluster: cluster, operator: key ?? operatorKey, doorkeeper: door ?? founder.node,
            linkKey: founderLink, number: number, expires: expires, using: &dice)
    }

    mutating func attempt(_ token: Token, name: String = "two", link: UInt8 = 2) -> JoinAttempt {
        JoinAttempt(
            token, name: name, linkKey: [UInt8](repeating: link, count: 32),
            identity: .generate(using: &dice),
            memberOf: nil)!
    }

    mutating func knock(
        _ attempt: JoinAttempt, at time: Timestamp? = nil
    ) -> Result<AdmissionBook, JoinRefusal> {
        knock(attempt.request, attempt, at: time)
    }

    mutating func knock(
        _ request: [UInt8], _ attempt: JoinAttempt, at time: Timestamp? = nil
    ) -> Result<AdmissionBook, JoinRefusal> {
        let actions = Doorkeeper(identity: founder).handle(
            request, from: attempt.admission.link.linkKey, book: &book, introductions: [], now: time ?? now)
        guard case .answer(let answer)? = actions.last else { return .failure(.wrong) }
        return Result { () throws(JoinRefusal) in try attempt.welcome(from: answer, now: now).book }
    }
}

extension Result where Success == AdmissionBook, Failure == JoinRefusal {
    var refusal: JoinRefusal? { if case .failure(let refusal) = self { refusal } else { nil } }
}

@Suite struct AdmissionTests {
    func expect(
        _ outcome: Result<AdmissionBook, JoinRefusal>, _ refusal: JoinRefusal?,
        at place: SourceLocation = #_sourceLocation
    ) {
        #expect(outcome.refusal == refusal, sourceLocation: place)
    }

    @Test("who holds a token comes in, learns the members, and is stored before he hears of it")
    func joins() throws {
        var town = Town()
        let text = town.token(number: 2).text
        let token = try #require(Token(text))
        let attempt = town.attempt(token)
        let actions = Doorkeeper(identity: town.founder).handle(
            attempt.request, from: attempt.admission.link.linkKey, book: &town.book, introductions: [],
            now: town.now)
        guard case .admit(let admission)? = actions.first, case .answer(let answer)? = actions.last else {
            Issue.record("\(actions)")
            return
        }
        let book = try attempt.welcome(from: answer, now: town.now).book
        #expect(
            book.members == [town.founder.node, attempt.admission.node] && book.members == town.book.members)
        #expect(town.book.number == 2 && town.book.names[attempt.admission.node] == "two")
        // Any other member can check it, however it came there.
        var other = AdmissionBook(cluster: town.cluster, operatorKey: town.operatorKey.publicKey)
        let decoded = try #require(Admission(decoding: admission.octets))
        let takings = [other.take(decoded), other.take(admission)]
        #expect(takings == [.taken, .known])
    }

    @Test("an answer that was lost is given again, to the same node only")
    func repeats() {
        var town = Town()
        let token = town.token(number: 2)
        let attempt = town.attempt(token)
        expect(town.knock(attempt), nil)
        expect(town.knock(attempt), nil)
        expect(town.knock(town.attempt(token, name: "three")), .used)
        #expect(town.book.members.count == 2)
    }

    @Test("wrong, used, expired, foreign: a clear word, and nothing else")
    func refuses() {
        var town = Town()
        var stranger = Town(seed: 8)
        let expired = town.attempt(town.token(number: 3, expires: Timestamp(seconds: 900)))
        expect(town.knock(expired), .expired)
        expect(town.knock(town.attempt(stranger.token(number: 3))), .foreign)
        let forged = town.token(number: 3, by: stranger.operatorKey)
        expect(town.knock(town.attempt(forged)), .wrong)
        let elsewhere = town.token(number: 3, door: stranger.founder.node)
        expect(town.knock(town.attempt(elsewhere)), .otherDoor)
        expect(town.knock(town.attempt(town.token(number: 3), name: "ONE")), .nameTaken)
        #expect(town.book.members.count == 1)
        for refusal in JoinRefusal.allCases {
            let octets = JoinAnswer.refused(refusal).octets
            #expect(octets.count <= 2, "it holds its reason and no more")
            #expect(!refusal.sentence.isEmpty)
        }
    }

    @Test("a request that was overheard is worth nothing under another link key")
    func replayed() {
        var town = Town()
        let attempt = town.attempt(town.token(number: 2))
        let thief = [UInt8](repeating: 9, count: 32)
        let actions = Doorkeeper(identity: town.founder).handle(
            attempt.request, from: thief, book: &town.book, introductions: [],
            now: town.now)
        #expect(actions == [.refused(.wrong), .answer(JoinAnswer.refused(.wrong).octets)])
    }

    @Test("bent or cut anywhere, a request lets nobody in")
    func bent() {
        var town = Town()
        let attempt = town.attempt(town.token(number: 2))
        let request = attempt.request
        for place in request.indices {
            var bent = request
            bent[place] ^= 0x11
            _ = town.knock(bent, attempt)
            _ = town.knock(Array(request[..<place]), attempt)
            #expect(town.book.members.count == 1, "octet \(place)")
        }
        expect(town.knock(attempt), nil)
    }

    @Test("bent or cut anywhere, a token is none, and nobody need be asked to know")
    func bentToken() {
        var town = Town()
        let text = Array(town.token(number: 2).text.utf8)
        for place in text.indices {
            for letter in "A_b7".utf8 where letter != text[place] {
                var bent = text
                bent[place] = letter
                // The last letter has bits that stand for nothing.
                let token = Token(String(decoding: bent, as: UTF8.self))
                #expect(token == nil || token?.text.utf8.elementsEqual(text) == true, "letter \(place)")
            }
            #expect(Token(String(decoding: text[..<place], as: UTF8.self)) == nil, "cut at \(place)")
        }
    }

    @Test("a token whose holder never showed its secret cannot be used by the doorkeeper for another node")
    func doorkeeperCannotForge() {
        var town = Town()
        let token = town.token(number: 2)
        let thief = Ed25519PrivateKey.generate(using: &town.dice)
        let other = Token(permit: token.permit, key: thief, linkKey: token.linkKey)
        let link = LinkCertificate(
            linkKey: [UInt8](repeating: 3, count: 32), serial: 1, by: thief, in: town.cluster)
        var forged = Admission(other, name: "thief", link: link, identity: thief)
        forged.countersign(town.founder)
        let taking = town.book.take(forged)
        #expect(taking == .refused)
    }

    @Test("under one permit everybody believes in the same one node, whatever the doorkeeper says")
    func onePermitOneNode() {
        var town = Town()
        let token = town.token(number: 2)
        let admissions = (0..<3).map { number in
            var admission = town.attempt(token, name: "n\(number)", link: UInt8(10 + number)).admission
            admission.countersign(town.founder)
            return admission
        }
        let winner = admissions.map(\.node).min()!
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            var book = town.book
            for index in order { _ = book.take(admissions[index]) }
            #expect(book.members == [town.founder.node, winner])
        }
    }

    @Test("an eviction holds until a newer permit, in whatever order they come")
    func evictions() throws {
        var town = Town()
        let token = town.token(number: 2)
        let identity = Ed25519PrivateKey.generate()
        func ask(_ token: Token) -> JoinAttempt {
            JoinAttempt(
                token, name: "two", linkKey: [UInt8](repeating: 2, count: 32), identity: identity,
                memberOf: nil)!
        }
        let attempt = ask(token)
        let node = attempt.admission.node
        expect(town.knock(attempt), nil)
        let admission = try #require(town.book.admission(of: node))
        let tooLow = town.book.evict(node, number: 2)
        let higher = town.book.evict(node, number: 3)
        #expect(!tooLow && higher && !town.book.isMember(node) && town.book.isEvicted(node))
        #expect(town.book.number == 3)
        let again = town.book.take(admission)
        #expect(again == .known && !town.book.isMember(node))
        expect(town.knock(attempt), .used)
        // Evicted by a clock that runs ahead: a line of today says why it is no good, and a later one is.
        let ahead = town.book.evict(node, number: 9)
        #expect(ahead)
        for (number, refusal) in [(UInt64(8), JoinRefusal?.some(.outdated)), (10, nil)] {
            expect(town.knock(ask(town.token(number: number))), refusal)
        }

        var late = AdmissionBook(cluster: town.cluster, operatorKey: town.operatorKey.publicKey)
        let first = late.evict(node, number: 3)
        let then = late.take(admission)
        #expect(first && then == .known && !late.isMember(node))
    }

    @Test("a newcomer believes evictions by the operator's signature, and not by the doorkeeper's word")
    func welcome() throws {
        var town = Town()
        let before = town.attempt(town.token(number: 2))
        expect(town.knock(before), nil)
        let gone = before.admission.node
        let eviction = try #require(
            Order(
                Order.Subject(.eviction, gone.octets), number: 3, by: "ada", reason: "gone",
                cluster: town.cluster,
                key: town.operatorKey))
        var forged = eviction
        forged.subject.octets = town.founder.node.octets
        let attempt = town.attempt(town.token(number: 4), name: "three", link: 3)
        expect(town.knock(attempt), nil)
        func welcome(_ orders: [Order]) throws -> JoinAttempt.Welcome {
            let answer = JoinAnswer.welcome(
                admissions: town.book.all, evictions: [(gone, 3), (town.founder.node, .max)],
                introductions: [],
                orders: orders)
            return try attempt.welcome(from: answer.octets, now: town.now)
        }
        let three: Set = [town.founder.node, gone, attempt.admission.node]
        #expect(try welcome([]).book.members == three, "left out: it is heard of later")
        #expect(try welcome([forged]).book.members == three)
        let heard = try welcome([forged, eviction])
        #expect(heard.book.members == three.subtracting([gone]) && heard.orders == [eviction])
        // What the doorkeeper's own code says.
        let actions = Doorkeeper(identity: town.founder).handle(
            attempt.request, from: attempt.admission.link.linkKey, book: &town.book, introductions: [],
            evictions: [eviction], now: town.now)
        guard case .answer(let answer)? = actions.last else { throw JoinRefusal.wrong }
        #expect(try attempt.welcome(from: answer, now: town.now).orders == [eviction])
    }

    @Test("a node of one cluster refuses to join another, and odd names are none")
    func staysTrue() {
        var town = Town()
        var other = Town(seed: 9)
        let token = town.token(number: 2)
        #expect(
            JoinAttempt(
                token, name: "x", linkKey: town.founderLink, identity: town.founder, memberOf: other.cluster)
                == nil)
        other.dice.state = 1
        for name in ["", "-x", ".", "a b", "a\n", "é", String(repeating: "a", count: 65), "a/b"] {
            #expect(!Admission.isName(name), "\(name)")
        }
        for name in ["a", "mx-1.example", "MX1", "1"] { #expect(Admission.isName(name), "\(name)") }
    }

    @Test("text that is no token is told from one that is not good")
    func tokenText() throws {
        var town = Town()
        let text = town.token(number: 2).text
        #expect(text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && text.utf8.count < 600)
        #expect(Token(text)?.text == text)
        for cut in [0, 5, 8, 20, text.count - 1] { #expect(Token(text.prefix(cut)) == nil) }
        #expect(Token(text + "A") == nil || Token(text + "A")?.text != text + "A")
        #expect(Token("chappe2." + text.dropFirst(8)) == nil)
        #expect(!"\(try #require(Token(text)).key)".contains(text.suffix(20)))
    }

    @Test("what depends on the set uses the smaller of old and new until all have confirmed")
    func sets() {
        let (one, two, three) = (node(1), node(2), node(3))
        var sets = AdmittedSets(number: 1, members: [one])
        func share(_ set: Set<NodeID>) -> Int { 12 / set.count }
        #expect(sets.least(share) == 12)
        sets.change(to: [one, two], number: 2)
        sets.change(to: [one, two, three], number: 3)
        #expect(sets.least(share) == 4)
        sets.change(to: [one, two], number: 4)
        #expect(sets.least(share) == 4, "somebody may still go by three")
        let half = sets.confirm([one: 4, two: 3])
        #expect(!half && sets.missing([one: 4, two: 3]) == [two])
        #expect(sets.least(share) == 4)
        let silent = sets.confirm([one: 4])
        #expect(!silent, "who says nothing has confirmed nothing")
        let whole = sets.confirm([one: 4, two: 4])
        #expect(whole && sets.least(share) == 6)
        sets.change(to: [one], number: 3)
        #expect(sets.number == 4)
    }

    @Test("a newly signed link key is taken at once, the old one goes when all have confirmed")
    func linkKeys() {
        let town = Town()
        func certificate(_ octet: UInt8, _ serial: UInt64, _ key: Ed25519PrivateKey) -> LinkCertificate {
            LinkCertificate(
                linkKey: [UInt8](repeating: octet, count: 32), serial: serial, by: key, in: town.cluster)
        }
        var dice = Dice(state: 3)
        let other = Ed25519PrivateKey.generate(using: &dice)
        var ring = LinkKeyRing(cluster: town.cluster)
        let first = certificate(1, 1, town.founder)
        let taken = [ring.take(first), ring.take(first), ring.take(certificate(2, 2, town.founder))]
        #expect(taken == [true, false, true])
        #expect(ring.owner(of: first.linkKey) == town.founder.node && ring.accepted.count == 2)
        let stolen = ring.take(certificate(2, 1, other))
        #expect(!stolen, "another's key")
        // Who claims a key first has it, as no signature says whose secret it is; once he is out it is its owner's again.
        var away = LinkKeyRing(cluster: town.cluster)
        let takings = [
            away.take(first), away.take(certificate(2, 1, other)), away.take(certificate(2, 2, town.founder)),
        ]
        #expect(takings == [true, true, false])
        #expect(
            away.accepted(of: town.founder.node) == [first.linkKey], "its links stand under the key before")
        away.forget(other.node)
        let isFreed = away.take(certificate(2, 2, town.founder))
        #expect(isFreed && away.owner(of: certificate(2, 2, town.founder).linkKey) == town.founder.node)
        ring.confirmed(town.founder.node)
        #expect(ring.owner(of: first.linkKey) == nil && ring.accepted.count == 1)
        var bent = certificate(3, 3, town.founder)
        bent.serial = 4
        let isTaken = ring.take(bent)
        #expect(!isTaken)
        #expect(LinkCertificate(decoding: first.octets) == first)
    }
}
