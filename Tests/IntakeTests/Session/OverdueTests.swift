import MailValues
import QueueEngine
import SMTPProtocol
import TestSupport
import Testing

@testable import Intake

@Suite("A message whose store does not answer in time")
struct OverdueTests {
    private static let letter = "From: a@example.test\r\nSubject: late\r\n\r\nlate\r\n"

    /// A guest at the end of data, with a store that has fallen silent.
    private func stalled(begun: Bool, chunked: Bool) -> (IntakeHouse, Guest) {
        let house = IntakeHouse { $0.chunkOctets = chunked ? 4_096 : 256 * 1024 }
        let guest = house.guest()
        guest.hello()
        guest.mail()
        guest.recipient()
        guest.session.beginMessage()
        let text = Self.letter + String(repeating: "and long\r\n", count: chunked ? 2_000 : 1)
        for piece in Array(text.utf8).pieces(of: 4_096) where !guest.session.content(piece, asker: guest) {
            guest.work()
        }
        house.queue.stall(begun: begun)
        #expect(guest.ask(.endOfMessage(MessageFacts(sizeOctets: text.utf8.count))) == nil)
        return (house, guest)
    }

    @Test(
        "is taken back while it has only waited, and refused: it will not come twice",
        arguments: [false, true])
    func withdrawn(chunked: Bool) {
        let (house, guest) = stalled(begun: false, chunked: chunked)
        guest.withdraw()
        #expect(guest.lastAnswer?.refusalCode == 451)
        house.queue.proceed()
        guest.work()
        #expect(house.queue.contents.envelopes.isEmpty)
        #expect(house.isClean)
        #expect(guest.send(Self.letter)?.text != nil)
    }

    @Test("is answered by the store alone once the disk may have it", arguments: [false, true])
    func begun(chunked: Bool) {
        let (house, guest) = stalled(begun: true, chunked: chunked)
        guest.withdraw()
        #expect(guest.lastAnswer == nil)
        house.queue.proceed()
        guest.work()
        #expect(guest.lastAnswer?.text != nil)
        #expect(house.queue.contents.envelopes.count == 1)
        guest.withdraw()
        #expect(house.queue.contents.envelopes.count == 1)
        #expect(house.isClean)
    }

    @Test("is dropped while its chunks are still on their way")
    func chunksUnderWay() {
        let house = IntakeHouse { $0.chunkOctets = 4_096 }
        let guest = house.guest()
        guest.hello()
        guest.mail()
        guest.recipient()
        guest.session.beginMessage()
        let text = Array((Self.letter + String(repeating: "and long\r\n", count: 600)).utf8)
        _ = guest.session.content(text, asker: guest)
        #expect(guest.askOnly(.endOfMessage(MessageFacts(sizeOctets: text.count))) == nil)
        guest.withdraw()
        #expect(guest.lastAnswer?.refusalCode == 451)
        guest.work()
        #expect(house.queue.contents.envelopes.isEmpty)
        #expect(house.isClean)
        #expect(guest.send(Self.letter)?.text != nil)
    }
}
