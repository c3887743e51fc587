import MailValues
import MessageFormat
import Testing

@Suite("Trace header")
struct TraceHeaderTests {
    private static let id = QueueID("01JDEXAMP0EXAMP0EXAMP0EXAM")!
    private static let time = Timestamp(seconds: 1_795_533_592)

    private func header(
        hello: String? = "client.example", name: String? = nil, address: String = "192.0.2.7",
        tls: Bool = false,
        recipient: Mailbox? = nil, host: String = "mx.example.org"
    ) -> TraceHeader {
        TraceHeader(
            hello: hello, clientName: name, client: IPAddress(address)!, host: host,
            transport: TransportName(isExtended: true, isTLS: tls, isAuthenticated: false, isUTF8: false),
            tls: tls ? ("TLSv1.3", "TLS_AES_256_GCM_SHA384") : nil, id: Self.id, recipient: recipient,
            at: Self.time)
    }

    private func text(_ header: TraceHeader) -> String {
        var octets: [UInt8] = []
        header.append(to: &octets)
        return String(decoding: octets, as: UTF8.self)
    }

    @Test("it says from whom, by whom, how, under which id and when")
    func saysAll() {
        let recipient = Mailbox(localPart: "user", domain: Domain("example.net"))
        #expect(
            text(header(name: "host.client.example", tls: true, recipient: recipient)) == """
                Received: from client.example (host.client.example [192.0.2.7])\r
                \tby mx.example.org with ESMTPS id 01JDEXAMP0EXAMP0EXAMP0EXAM\r
                \t(TLSv1.3 TLS_AES_256_GCM_SHA384)\r
                \tfor <user@example.net>;\r
                \tTue, 24 Nov 2026 15:19:52 +0000\r

                """)
        #expect(
            text(header(hello: nil, address: "2001:db8::1")) == """
                Received: from unknown ([IPv6:2001:db8::1])\r
                \tby mx.example.org with ESMTP id 01JDEXAMP0EXAMP0EXAMP0EXAM;\r
                \tTue, 24 Nov 2026 15:19:52 +0000\r

                """)
    }

    @Test(
        "a hostile name can neither end the field nor open a comment",
        arguments: ["x) by evil (", "a\r\nBcc: b", "a;b", "a\"b", "<a@b>", "\u{0}\u{7}", "ü", "a\\", "(", ""])
    func masksNames(_ hostile: String) {
        let seen = text(header(hello: hostile, name: hostile))
        #expect(HeaderScan(Array((seen + "\r\n").utf8)).fields.count == 1)
        #expect(seen.utf8.count { $0 == 0x28 } == 1)
        #expect(seen.utf8.count { $0 == 0x3B } == 1)
        #expect(seen.utf8.allSatisfy { $0 < 0x7F })
        #expect(!seen.contains("<") && !seen.contains("\""))
    }

    @Test("the longest of everything stays within 600 octets, lines within 998")
    func keepsBound() {
        let long = String(repeating: "a.", count: 500)
        var header = header(
            hello: long, name: long, address: "2001:1db8:1db8:1db8:1db8:1db8:1db8:1db8", tls: true,
            recipient: Mailbox(localPart: String(repeating: "r", count: 64), domain: Domain(long)), host: long
        )
        header.tls = (long, long)
        let octets = Array(text(header).utf8)
        #expect(octets.count <= TraceHeader.octetLimit)
        #expect(octets.count > 500)
        for length in 1...64 {
            header.recipient = Mailbox(localPart: String(repeating: "r", count: length), domain: Domain("d"))
            #expect(text(header).utf8.count <= TraceHeader.octetLimit)
        }
    }

    @Test("a recipient that is not plain ASCII is left out", arguments: ["jörg", "a b", "a\r\nb", "a>b"])
    func leavesOutOddRecipients(_ local: String) {
        #expect(
            !text(header(recipient: Mailbox(localPart: local, domain: Domain("b.example")))).contains("for <")
        )
    }

    @Test("the transport word follows EHLO, TLS, AUTH and SMTPUTF8")
    func namesTransport() {
        func word(_ extended: Bool, _ tls: Bool, _ authenticated: Bool, _ utf8: Bool) -> String {
            "\(TransportName(isExtended: extended, isTLS: tls, isAuthenticated: authenticated, isUTF8: utf8).text)"
        }
        #expect(word(false, false, false, false) == "SMTP")
        #expect(word(true, true, true, false) == "ESMTPSA")
        #expect(word(true, false, true, false) == "ESMTPA")
        #expect(word(true, false, false, true) == "UTF8SMTP")
        #expect(word(true, true, true, true) == "UTF8SMTPSA")
    }

    @Test("submission adds a date and an id in their forms")
    func addsFields() {
        var octets: [UInt8] = []
        SubmissionFields.appendDate(Self.time, to: &octets)
        SubmissionFields.appendMessageID(Self.id, host: Domain("mx.example.org"), to: &octets)
        #expect(
            String(decoding: octets, as: UTF8.self) == """
                Date: Tue, 24 Nov 2026 15:19:52 +0000\r
                Message-ID: <01JDEXAMP0EXAMP0EXAMP0EXAM@mx.example.org>\r

                """)
    }
}
