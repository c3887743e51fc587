import MailValues
import Testing

@testable import SMTPProtocol

@Suite("What the house is told of MAIL, RCPT and EHLO")
struct ParameterTests {
    private func questions(_ lines: String) -> [Question] {
        var options = SessionOptions.testing
        options.authenticationMechanisms = ["PLAIN"]
        options.xclientPeers = NetworkSet([Network("192.0.2.7")!])
        var talk = ServerConversation(options)
        talk.receive("EHLO client.example\r\n" + lines)
        return Array(talk.questions.dropFirst(2))
    }

    private func mailbox(_ local: String, _ domain: String) -> Mailbox {
        Mailbox(localPart: local, domain: Domain(domain))
    }

    @Test("MAIL arrives with its parameters decoded")
    func mail() {
        let expected = MailCommand(
            reversePath: .mailbox(mailbox("A+b", "example.com")), declaredSize: 1234, body: .eightBitMIME,
            smtpUTF8: true,
            dsnReturn: .headers, dsnEnvelopeID: "QQ+314", authorization: "e=mc2@example.com")
        let line =
            "MAIL FROM:<A+b@Example.COM> SIZE=1234 BODY=8BITMIME SMTPUTF8 RET=hdrs ENVID=QQ+2B314 "
            + "AUTH=e+3Dmc2@example.com  \r\n"
        #expect(questions(line) == [.mail(expected)])
        #expect(
            questions("MAIL FROM:<> AUTH=<>\r\n") == [
                .mail(MailCommand(reversePath: .null, authorization: ""))
            ])
        #expect(
            questions("mail from: <a@b.example>\r\n") == [
                .mail(MailCommand(reversePath: .mailbox(mailbox("a", "b.example"))))
            ])
    }

    @Test("RCPT arrives with its path as it came and its mailbox as it is meant")
    func recipient() {
        let lines =
            "MAIL FROM:<> SMTPUTF8\r\nRCPT TO:<@a.example,@b.example:\"x y\"@C.Example> "
            + "NOTIFY=SUCCESS,DELAY ORCPT=utf-8;\\x{F6}@c.example\r\n"
        let expected = RecipientCommand(
            mailbox: mailbox("\"x y\"", "c.example"),
            rawPath: Array("@a.example,@b.example:\"x y\"@C.Example".utf8),
            notify: [.success, .delay], originalRecipient: "utf-8;ö@c.example")
        #expect(questions(lines).last == .recipient(expected))
        let postmaster = RecipientCommand(
            mailbox: mailbox("Postmaster", ""), rawPath: Array("Postmaster".utf8))
        #expect(questions("MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\n").last == .recipient(postmaster))
    }

    @Test("a client's name is printable and bounded")
    func hello() {
        let long = String(repeating: "x", count: 400)
        #expect(questions("EHLO ünï.example\r\n") == [.hello("??n??.example", isExtended: true)])
        #expect(questions("HELO [IPv6:::1]\r\n") == [.hello("[IPv6:::1]", isExtended: false)])
        #expect(
            questions("HELO \(long)\r\n") == [.hello(String(repeating: "x", count: 255), isExtended: false)])
    }

    @Test("XCLIENT puts the client in the place of the peer, which is remembered")
    func xclient() {
        var facts = ConnectionFacts.testing
        facts.proxy = facts.client
        facts.client = IPAddress("2001:db8::1")!
        facts.clientPort = 99
        facts.clientName = "spike+x.example"
        facts.local = IPAddress("203.0.113.1")!
        facts.localPort = 587
        let line =
            "XCLIENT NAME=spike+2Bx.example ADDR=IPV6:2001:db8::1 PORT=99 "
            + "DESTADDR=203.0.113.1 DESTPORT=587\r\n"
        #expect(questions(line) == [.xclient(facts)])
    }
}
