import MailValues
import Testing

@testable import SMTPProtocol

@Suite("MAIL and RCPT")
struct ClientEnvelopeCommandsTests {
    private static func peer(_ change: (inout PeerCapabilities) -> Void) -> PeerCapabilities {
        var peer = PeerCapabilities()
        change(&peer)
        return peer
    }
    private static let full = peer {
        $0.size = 0
        $0.eightBitMIME = true
        $0.smtpUTF8 = true
        $0.dsn = true
    }

    private func mail(
        _ peer: PeerCapabilities, _ change: (inout OutboundTransaction) -> Void = { _ in }
    ) -> String {
        var transaction = OutboundTransaction(
            reversePath: .mailbox(Mailbox(localPart: "a", domain: Domain("x.example"))), recipients: [],
            sizeOctets: 42)
        change(&transaction)
        var octets: [UInt8] = []
        #expect(EnvelopeCommands(peer: peer).appendMail(transaction, to: &octets))
        return String(decoding: octets, as: UTF8.self)
    }

    private func recipient(
        _ peer: PeerCapabilities, smtpUTF8: Bool = false, notify: DSNNotify? = nil, original: String? = nil
    ) -> String {
        var octets: [UInt8] = []
        let recipient = OutboundTransaction.Recipient(
            mailbox: Mailbox(localPart: "b", domain: Domain("x.example")), notify: notify,
            originalRecipient: original)
        #expect(EnvelopeCommands(peer: peer).appendRecipient(recipient, smtpUTF8: smtpUTF8, to: &octets))
        return String(decoding: octets, as: UTF8.self)
    }

    @Test("say no parameter that is not offered")
    func bare() {
        let line = mail(PeerCapabilities()) {
            $0.body = .eightBitMIME
            $0.smtpUTF8 = true
            $0.dsnReturn = .full
            $0.dsnEnvelopeID = "id"
        }
        #expect(line == "MAIL FROM:<a@x.example>\r\n")
        #expect(
            recipient(PeerCapabilities(), notify: .never, original: "rfc822;b@x")
                == "RCPT TO:<b@x.example>\r\n")
    }

    @Test("say what is offered and asked for")
    func parameters() {
        let line = mail(Self.full) {
            $0.body = .eightBitMIME
            $0.smtpUTF8 = true
            $0.dsnReturn = .headers
            $0.dsnEnvelopeID = "a+b=c d"
        }
        #expect(
            line == "MAIL FROM:<a@x.example> SIZE=42 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb+3Dc+20d\r\n")
        #expect(mail(Self.full) { $0.reversePath = .null } == "MAIL FROM:<> SIZE=42\r\n")
    }

    @Test(
        "name who wants to hear what",
        arguments: [
            (.never, "NEVER"), ([.success, .failure], "SUCCESS,FAILURE"), (.delay, "DELAY"),
            ([.never, .success], "NEVER"),
        ] as [(DSNNotify, String)])
    func notify(_ notify: DSNNotify, _ words: String) {
        #expect(recipient(Self.full, notify: notify) == "RCPT TO:<b@x.example> NOTIFY=\(words)\r\n")
    }

    @Test("carry the original recipient in a form that cannot break the line")
    func originalRecipient() {
        #expect(
            recipient(Self.full, original: "rfc822;b+c@x.example")
                == "RCPT TO:<b@x.example> ORCPT=rfc822;b+2Bc@x.example\r\n")
        #expect(
            recipient(Self.full, original: "rfc822;b\r\nDATA\r\n")
                == "RCPT TO:<b@x.example> ORCPT=rfc822;b+0D+0ADATA+0D+0A\r\n")
        #expect(recipient(Self.full, original: "no type") == "RCPT TO:<b@x.example>\r\n")
        #expect(
            recipient(Self.full, smtpUTF8: true, original: "utf-8;é=@x")
                == "RCPT TO:<b@x.example> ORCPT=utf-8;é\\x{3D}@x\r\n")  // RFC 6533 §3
        #expect(
            recipient(Self.full, original: "utf-8;é@x") == "RCPT TO:<b@x.example> ORCPT=utf-8;\\x{E9}@x\r\n")
    }
}
