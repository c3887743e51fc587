import Cryptography
import MailValues
import QueueEngine
import SMTPProtocol
import Synchronization
import TestSupport
import Testing

@testable import Intake

@Suite("A message larger than a chunk")
struct LargeMessageTests {
    private static let head = "From: a@example.test\r\nSubject: large\r\n\r\n"

    private static func content(_ lines: Int) -> [UInt8] {
        var octets = Array(head.utf8)
        for number in 0..<lines { octets += Array("line \(number) of a long letter\r\n".utf8) }
        return octets
    }

    @Test(
        "is stored in chunks whose number, size and digest the envelope tells",
        arguments: [1, 700, 1_024, 5_000])
    func chunks(pieceOctets: Int) throws {
        let house = IntakeHouse { $0.chunkOctets = 4_096 }
        let guest = house.guest()
        guest.hello()
        let content = Self.content(2_000)
        #expect(guest.send(content.pieces(of: pieceOctets))?.text != nil)
        let envelope = try #require(house.queue.contents.envelopes.values.first)
        let pieces = try #require(house.queue.contents.pieces[envelope.id])
        #expect(envelope.chunkCount > 1)
        #expect(Int(envelope.chunkCount) == pieces.count)
        let stored = Array(pieces.joined())
        #expect(envelope.sizeOctets == stored.count)
        var digest = SHA256()
        digest.update(stored)
        #expect(envelope.digest == digest.finish())
        #expect(stored.suffix(content.count).elementsEqual(content))
        #expect(house.isClean)
    }

    @Test("that fits one chunk is one value of the store, without a digest")
    func small() throws {
        let house = IntakeHouse()
        let guest = house.guest()
        guest.hello()
        guest.send(Self.content(10).pieces(of: 7))
        let envelope = try #require(house.queue.contents.envelopes.values.first)
        #expect(envelope.chunkCount == 0)
        #expect(envelope.digest.isEmpty)
        #expect(house.queue.contents.pieces[envelope.id]?.count == 1)
    }

    @Test("holds the client back while two chunks wait for the store, and lets it go on afterwards")
    func backPressure() {
        let house = IntakeHouse { $0.chunkOctets = 4_096 }
        let guest = house.guest()
        guest.hello()
        guest.mail()
        guest.recipient()
        guest.session.beginMessage()
        var taken = 0
        for piece in Self.content(2_000).pieces(of: 1_024) {
            taken += 1
            if !guest.session.content(piece, asker: guest) { break }
        }
        #expect(taken == 8)
        #expect(guest.resumed == 0)
        guest.work()
        #expect(guest.resumed > 0)
        guest.session.disconnected()
        guest.work()
        #expect(house.isClean)
    }

    @Test("is dropped from the store when the client resets or goes away, whatever is still being written")
    func abandoned() {
        for worksFirst in [false, true] {
            let house = IntakeHouse { $0.chunkOctets = 4_096 }
            let guest = house.guest()
            guest.hello()
            guest.mail()
            guest.recipient()
            guest.session.beginMessage()
            for piece in Self.content(300).pieces(of: 1_024) {
                _ = guest.session.content(piece, asker: guest)
            }
            if worksFirst { guest.work() }
            guest.session.abortTransaction()
            guest.work()
            #expect(house.queue.contents.pieces.isEmpty)
            #expect(house.isClean)
        }
    }

    @Test("stops the reading of all sessions that are over the common budget, until one gives back")
    func budget() {
        let house = IntakeHouse { $0.budgetOctets = 10_000 }
        let first = house.guest()
        let second = house.guest()
        for guest in [first, second] {
            guest.hello()
            guest.mail()
            guest.recipient()
            guest.session.beginMessage()
        }
        #expect(
            first.session.content(Array(Self.head.utf8) + [UInt8](repeating: 120, count: 9_000), asker: first)
        )
        #expect(!second.session.content([UInt8](repeating: 120, count: 2_000), asker: second))
        #expect(second.resumed == 0)
        first.session.abortTransaction()
        second.work()
        #expect(second.resumed == 1)
        second.session.abortTransaction()
        #expect(house.budget.inUse == 0)
    }
}

@Suite("Faults of the store during intake")
struct IntakeFaultTests {
    /// Tries to send `content`; what the client heard.
    private func run(_ content: [UInt8], failing call: Int, afterwards: Bool) -> (Answer?, IntakeHouse, Bool)
    {
        let faulty = Mutex<FaultyStore?>(nil)
        let house = IntakeHouse {
            $0.chunkOctets = 4_096
            $0.store = { queue in
                let store = FaultyStore(queue, failingCall: call, afterwards: afterwards)
                faulty.withLock { $0 = store }
                return store
            }
        }
        let guest = house.guest()
        guest.hello()
        let answer = guest.send(content.pieces(of: 1_000))
        guest.work()
        return (answer, house, faulty.withLock { $0?.hasFailed ?? false })
    }

    @Test("cost no message that was answered 250, and no octet of the budget", arguments: [false, true])
    func everyCall(afterwards: Bool) {
        for lines in [3, 400, 2_000] {
            var content = Array("From: a@example.test\r\n\r\n".utf8)
            for number in 0..<lines { content += Array("line \(number)\r\n".utf8) }
            var call = 1
            while true {  // ends: a run makes a bounded number of calls
                let (answer, house, hasFailed) = run(content, failing: call, afterwards: afterwards)
                let isStored = !house.queue.contents.envelopes.isEmpty
                if hasFailed {
                    #expect(answer?.refusalCode == 451, "call \(call)")
                    #expect(house.feed.arrived.isEmpty)
                    // What was written although the store said no may stay: the client sends it again.
                    #expect(!isStored || afterwards)
                } else {
                    #expect(answer?.text != nil)
                    #expect(isStored && house.feed.arrived.count == 1)
                }
                #expect(house.budget.inUse == 0, "call \(call)")
                if !isStored { #expect(house.queue.contents.pieces.isEmpty, "call \(call)") }
                guard hasFailed else { break }
                call += 1
            }
            #expect(call > (lines > 1_000 ? 3 : 1))
        }
    }
}

extension [UInt8] {
    /// Cut into pieces of at most `octets`.
    func pieces(of octets: Int) -> [[UInt8]] {
        stride(from: 0, to: count, by: octets).map { Array(self[$0..<Swift.min($0 + octets, count)]) }
    }
}
