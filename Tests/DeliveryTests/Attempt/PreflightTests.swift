import MailValues
import QueueEngine
import SMTPProtocol
import Testing

@testable import Delivery

@Suite("Before a word is sent")
struct PreflightTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var hasEightBit = false
        var smtpUTF8 = false
        var sender = "s@from.example"
        var recipients = ["r@to.example"]
        var peerEightBit = true
        var peerUTF8 = true
        var peerSize: UInt64?
        var rule = DeliverySettings.EightBitRule.asItIs
        var hasASCIIHeader = true
        var sent = [0]
        var refused: [EnhancedStatus] = []
        var body: MailCommand.Body?
        var usesUTF8 = false
        var testDescription: String { name }
    }

    @Test(
        "what a peer cannot take is returned, what it can goes with the right parameters",
        arguments: [
            Case(name: "plain"),
            Case(name: "8-bit offered", hasEightBit: true, body: .eightBitMIME),
            Case(name: "8-bit not offered, sent as it is", hasEightBit: true, peerEightBit: false),
            Case(
                name: "8-bit not offered, bounced", hasEightBit: true, peerEightBit: false, rule: .bounce,
                sent: [], refused: [EnhancedStatus(5, 6, 3)]),
            Case(name: "7-bit where only 8-bit would bounce", peerEightBit: false, rule: .bounce),
            Case(name: "UTF-8 offered", smtpUTF8: true, recipients: ["jörg@to.example"], usesUTF8: true),
            Case(name: "UTF-8 declared, not offered, not needed", smtpUTF8: true, peerUTF8: false),
            Case(
                name: "UTF-8 sender", smtpUTF8: true, sender: "jörg@from.example", peerUTF8: false, sent: [],
                refused: [EnhancedStatus(5, 6, 7)]),
            Case(
                name: "UTF-8 header", smtpUTF8: true, peerUTF8: false, hasASCIIHeader: false, sent: [],
                refused: [EnhancedStatus(5, 6, 7)]),
            Case(
                name: "one UTF-8 recipient of two", smtpUTF8: true,
                recipients: ["jörg@to.example", "r@to.example"],
                peerUTF8: false, sent: [1], refused: [EnhancedStatus(5, 6, 7)]),
            Case(name: "too big", peerSize: 99, sent: [], refused: [EnhancedStatus(5, 3, 4)]),
            Case(name: "just fits", peerSize: 100),
            Case(name: "no fixed limit", peerSize: 0),
        ]
    )
    func decides(sample: Case) {
        var envelope = Envelope(
            id: QueueID(high: 1, low: 1), acceptedAt: Timestamp(seconds: 1),
            reversePath: .mailbox(mailbox(sample.sender)),
            recipients: sample.recipients.map { Recipient(mailbox: mailbox($0)) }, sizeOctets: 100,
            origin: Envelope.Origin(listener: "mx"))
        envelope.hasEightBit = sample.hasEightBit
        envelope.smtpUTF8 = sample.smtpUTF8
        var peer = PeerCapabilities()
        peer.eightBitMIME = sample.peerEightBit
        peer.smtpUTF8 = sample.peerUTF8
        peer.size = sample.peerSize
        let preflight = Preflight(
            envelope, indices: Array(envelope.recipients.indices), peer: peer, eightBit: sample.rule
        ) { sample.hasASCIIHeader }
        #expect(preflight.indices == sample.sent)
        #expect(preflight.refused.map(\.reply.enhanced) == sample.refused)
        #expect(preflight.body == sample.body)
        #expect(preflight.smtpUTF8 == sample.usesUTF8)
    }

    @Test(
        "a header is searched to its end and no further",
        arguments: [
            (["A: b\r\n\r\nü"], true), (["A: ü\r\n\r\n"], false), (["A: b\r", "\n\r\nü"], true),
            (["A: b"], true),
            (["A: b\r\n", "B: ü"], false),
        ]
    )
    func headers(pieces: [String], isASCII: Bool) {
        #expect(pieces.map { Array($0.utf8) }.hasASCIIHeader == isASCII)
    }
}
