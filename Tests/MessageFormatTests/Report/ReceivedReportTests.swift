import MailValues
import MessageFormat
import Testing

@Suite("Delivery report of somebody else")
struct ReceivedReportTests {
    private static let report = """
        From: MAILER-DAEMON@there.example\r
        Content-Type: Multipart/Report; Report-Type=delivery-status (a comment);\r
         boundary="a \\"b"\r
        \r
        preamble\r
        --a "b\r
        \r
        text\r
        --a "b  \r
        content-type: message/delivery-status\r
        \r
        Reporting-MTA: dns;mx.there.example\r
        Original-Envelope-Id: 42\r
        \r
        Final-Recipient: rfc822;a@b.example\r
        Action: FAILED\r
        Status: 5.2.2 (mailbox full)\r
        Diagnostic-Code: smtp; 552 5.2.2\r
         full\r
        \r
        \r
        Final-Recipient: rfc822; c@d.example\r
        Action: delayed\r
        Status: 4.4\r
        --a "b\r
        Content-Type: message/rfc822\r
        \r
        Message-ID: <x@y>\r
        \r
        --a "bc\r
        --a "b--\r
        epilogue

        """

    @Test("recipients, their fates and the message meant are found")
    func reads() throws {
        let read = try #require(ReceivedReport([Array(Self.report.utf8)]))
        #expect(read.reportingHost == "mx.there.example")
        #expect(read.envelopeID == "42")
        #expect(read.originalMessageID == "<x@y>")
        #expect(read.recipients.map(\.finalRecipient) == ["rfc822;a@b.example", "rfc822; c@d.example"])
        #expect(read.recipients.map(\.action) == ["failed", "delayed"])
        #expect(read.recipients.map(\.status) == [EnhancedStatus(5, 2, 2), nil])
        #expect(read.recipients[0].diagnostic == "smtp; 552 5.2.2 full")
    }

    @Test("cut anywhere it is read as far as it goes, or not at all")
    func survivesCuts() {
        let octets = Array(Self.report.utf8)
        let whole = ReceivedReport([octets])
        for cut in 0...octets.count {
            let part = ReceivedReport([Array(octets[..<cut])])
            #expect((part?.recipients.count ?? 0) <= 2)
            #expect(ReceivedReport([Array(octets[..<cut]), Array(octets[cut...])]) == whole)
        }
    }

    @Test(
        "other messages are none",
        arguments: [
            "", "Content-Type: text/plain\r\n\r\n",
            "Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n",
            "Content-Type: multipart/report; report-type=feedback-report; boundary=x\r\n\r\n--x\r\n",
            "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n--x--\r\n",
            "Content-Type: multipart/report; report-type=delivery-status; boundary=\"\"\r\n\r\n--\r\n",
        ])
    func refusesOthers(_ text: String) {
        #expect(ReceivedReport([Array(text.utf8)]) == nil)
    }
}
