import MailValues
import MessageFormat
import Testing

@Suite("Delivery report")
struct DeliveryReportTests {
    private static let content = """
        Received: from a\r
        Message-ID: <one@sender.example>\r
        Subject: A question\r
        From: anna@sender.example\r
        \r
        The body.\r

        """

    private static let failure = DeliveryReport.Recipient(
        mailbox: Mailbox(localPart: "user", domain: Domain("there.example")),
        originalRecipient: "rfc822;User@alias.example",
        action: .failed, status: EnhancedStatus(5, 1, 1), remoteHost: "mx.there.example",
        reply: Reply(550, EnhancedStatus(5, 1, 1), "No such user\nreally"),
        lastAttempt: Timestamp(seconds: 1_795_533_592))

    private func report(
        content: String = content, full: Bool = false, sender: Mailbox? = nil, envelopeID: String? = "QQ=314",
        _ recipients: [DeliveryReport.Recipient] = [failure]
    ) -> DeliveryReport {
        DeliveryReport(
            id: QueueID("01JDEXAMP0EXAMP0EXAMP0REPT")!, at: Timestamp(seconds: 1_795_533_600),
            host: Domain("mx.example.org"),
            postmaster: Mailbox(localPart: "postmaster", domain: Domain("example.org")),
            sender: sender ?? Mailbox(localPart: "anna", domain: Domain("sender.example")),
            original: .init(
                id: QueueID("01JDEXAMP0EXAMP0EXAMP0EXAM")!, arrivedAt: Timestamp(seconds: 1_795_530_000),
                envelopeID: envelopeID, wantsFullReturn: full, sizeOctets: content.utf8.count,
                content: [Array(content.utf8)]),
            recipients: recipients)
    }

    private func text(_ report: DeliveryReport) -> String {
        String(decoding: report.built().content.joined(), as: UTF8.self)
    }

    @Test("a failure reads as one whole")
    func wholeFailure() {
        #expect(
            text(report()) == """
                Date: Tue, 24 Nov 2026 15:20:00 +0000\r
                From: Mail Delivery System <postmaster@example.org>\r
                To: <anna@sender.example>\r
                Subject: Your message could not be delivered\r
                Message-ID: <01JDEXAMP0EXAMP0EXAMP0REPT@mx.example.org>\r
                References: <one@sender.example>\r
                Auto-Submitted: auto-replied\r
                MIME-Version: 1.0\r
                Content-Type: multipart/report; report-type=delivery-status;\r
                \tboundary="=_report_01JDEXAMP0EXAMP0EXAMP0REPT"\r
                \r
                --=_report_01JDEXAMP0EXAMP0EXAMP0REPT\r
                Content-Description: Notification\r
                Content-Type: text/plain; charset=us-ascii\r
                Content-Transfer-Encoding: 7bit\r
                \r
                This is an automatic message from the mail system at mx.example.org.\r
                \r
                Your message could not be delivered to this recipient:\r
                \r
                    user@there.example\r
                        There is no such mailbox at there.example.\r
                        mx.there.example said: 550 5.1.1 No such user / really\r
                \r
                We will not try again. Please correct what is wrong, if you can, and send\r
                it again.\r
                \r
                About your message:\r
                    Subject:  A question\r
                    Received: Tue, 24 Nov 2026 14:20:00 +0000\r
                    Queue ID: 01JDEXAMP0EXAMP0EXAMP0EXAM\r
                \r
                If you need help, write to postmaster@example.org and quote the queue ID.\r
                \r
                --=_report_01JDEXAMP0EXAMP0EXAMP0REPT\r
                Content-Description: Delivery report\r
                Content-Type: message/delivery-status\r
                \r
                Original-Envelope-Id: QQ=314\r
                Reporting-MTA: dns; mx.example.org\r
                Arrival-Date: Tue, 24 Nov 2026 14:20:00 +0000\r
                X-Queue-Id: 01JDEXAMP0EXAMP0EXAMP0EXAM\r
                \r
                Original-Recipient: rfc822;User@alias.example\r
                Final-Recipient: rfc822; user@there.example\r
                Action: failed\r
                Status: 5.1.1\r
                Remote-MTA: dns; mx.there.example\r
                Diagnostic-Code: smtp; 550 5.1.1 No such user / really\r
                Last-Attempt-Date: Tue, 24 Nov 2026 15:19:52 +0000\r
                \r
                --=_report_01JDEXAMP0EXAMP0EXAMP0REPT\r
                Content-Description: Header of the message\r
                Content-Type: text/rfc822-headers\r
                Content-Transfer-Encoding: 7bit\r
                \r
                Received: from a\r
                Message-ID: <one@sender.example>\r
                Subject: A question\r
                From: anna@sender.example\r
                \r
                --=_report_01JDEXAMP0EXAMP0EXAMP0REPT--\r

                """)
    }

    @Test("every kind of report can be read back", arguments: DeliveryReport.Action.allCases)
    func readsBack(_ action: DeliveryReport.Action) throws {
        let status = EnhancedStatus(action == .failed ? 5 : action == .delayed ? 4 : 2, 0, 0)
        let recipient = DeliveryReport.Recipient(
            mailbox: Mailbox(localPart: "a", domain: Domain("b.example")), action: action, status: status,
            retriedUntil: Timestamp(seconds: 1_795_600_000))
        let built = report([recipient]).built()
        let read = try #require(ReceivedReport(built.content))
        #expect(read.envelopeID == "QQ=314")
        #expect(read.reportingHost == "mx.example.org")
        #expect(read.originalMessageID == "<one@sender.example>")
        #expect(read.recipients.map(\.finalRecipient) == ["rfc822; a@b.example"])
        #expect(read.recipients.map(\.action) == [action.rawValue])
        #expect(read.recipients.map(\.status) == [status])
        #expect(built.sizeOctets == built.content.reduce(0) { $0 + $1.count })
        let hasRetry = text(report([recipient])).contains("Will-Retry-Until: ")
        #expect(hasRetry == (action == .delayed))
    }

    @Test("what we say of a host is not put into its mouth, and the host is named")
    func ourWord() {
        var recipient = Self.failure
        recipient.status = EnhancedStatus(5, 4, 7)
        recipient.reply = Reply(451, EnhancedStatus(4, 4, 2), "Connection lost: reset")
        recipient.isOurWord = true
        let text = text(report([recipient]))
        #expect(text.contains("Remote-MTA: dns; mx.there.example\r\n"))
        #expect(text.contains("Diagnostic-Code: x-chappe; 451 4.4.2 Connection lost: reset\r\n"))
        #expect(text.contains("Details, at mx.there.example: 451 4.4.2 Connection lost: reset\r\n"))
        #expect(!text.contains("said:"))
    }

    @Test(
        "nobody is blamed for what we decided ourselves",
        arguments: [
            (EnhancedStatus(5, 7, 0), true, "It was not sent: the postmaster of this mail system,"),
            (EnhancedStatus(5, 7, 1), true, "It was not sent: the postmaster of this mail system,"),
            (EnhancedStatus(5, 7, 1), false, "The receiving system refused the message by its own rules."),
            (EnhancedStatus(5, 7, 5), true, "No safe connection to the receiving system was possible."),
            (EnhancedStatus(4, 3, 5), true, "This mail system cannot send it at the moment."),
            (EnhancedStatus(4, 3, 5), false, "The receiving system cannot take mail at the moment."),
            (EnhancedStatus(5, 3, 4), true, "The message is too large for the receiving system."),
            (EnhancedStatus(5, 0, 0), true, "This mail system did not send it."),
            (EnhancedStatus(5, 0, 0), false, "The receiving system refused the message."),
            (EnhancedStatus(5, 1, 2), true, "The domain there.example does not exist, or takes no mail."),
        ])
    func blame(_ status: EnhancedStatus, _ isOurWord: Bool, _ sentence: String) {
        var recipient = Self.failure
        recipient.status = status
        recipient.isOurWord = isOurWord
        #expect(text(report([recipient])).contains(sentence))
    }

    @Test("without ENVID and ORCPT their fields are absent")
    func inventsNothing() {
        var recipient = Self.failure
        recipient.originalRecipient = nil
        let text = text(report(envelopeID: nil, [recipient]))
        #expect(!text.contains("Original-Envelope-Id"))
        #expect(!text.contains("Original-Recipient"))
    }

    @Test("several recipients with several fates stand in one report, the gravest first")
    func mixesFates() throws {
        var delivered = Self.failure
        delivered.action = .delivered
        delivered.status = EnhancedStatus(2, 0, 0)
        let mixed = report([delivered, Self.failure])
        #expect(text(mixed).contains("Subject: Your message could not be delivered\r\n"))
        let read = try #require(ReceivedReport(mixed.built().content))
        #expect(read.recipients.map(\.action) == ["delivered", "failed"])
    }

    @Test("a thousand recipients are all reported, and some named to people")
    func bounded() throws {
        let many = (0..<1000).map { number in
            var recipient = Self.failure
            recipient.mailbox = Mailbox(localPart: "user\(number)", domain: Domain("there.example"))
            return recipient
        }
        let built = report(many).built()
        #expect(try #require(ReceivedReport(built.content)).recipients.count == 1000)
        #expect(text(report(many)).contains("and 950 more"))
    }

    @Test("the whole message comes back only if asked, failed and small")
    func returnsFull() {
        func isFull(_ report: DeliveryReport) -> Bool {
            text(report).contains("Content-Type: message/rfc822\r\n")
        }
        #expect(isFull(report(full: true)))
        #expect(text(report(full: true)).contains("\r\n\r\nThe body.\r\n\r\n--=_report_"))
        #expect(!isFull(report(full: false)))
        var delay = Self.failure
        delay.action = .delayed
        #expect(!isFull(report(full: true, [delay])))  // RFC 3461 §6.2
        var small = report(full: true)
        small.limits.fullReturnOctets = Self.content.utf8.count - 1
        #expect(!isFull(small))
        var cut = report(full: true)
        cut.original.sizeOctets += 1  // only a part of it was at hand
        #expect(!isFull(cut))
        #expect(
            !isFull(report(content: Self.content + String(repeating: "x", count: 999) + "\r\n", full: true)))
        #expect(
            isFull(report(content: Self.content + String(repeating: "x", count: 998) + "\r\n", full: true)))
    }

    @Test("an eight-bit body comes back as it is, and the report says so")
    func keepsEightBit() {
        let built = report(content: Self.content + "Grüße\r\n", full: true).built()
        #expect(built.hasEightBit)
        #expect(!built.needsUTF8)
        let text = String(decoding: built.content.joined(), as: UTF8.self)
        #expect(text.contains("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n"))
        #expect(text.contains("Grüße"))
    }

    @Test("an eight-bit header comes back encoded, so that any path can take it")
    func encodesHeader() {
        let built = report(content: "Subject: Grüße\r\n\r\nx\r\n", full: true).built()
        #expect(!built.hasEightBit)
        let text = String(decoding: built.content.joined(), as: UTF8.self)
        #expect(text.contains("message/global-headers\r\nContent-Transfer-Encoding: quoted-printable"))
        #expect(text.contains("Subject: Gr=C3=BC=C3=9Fe"))
    }

    private static let foreign = DeliveryReport.Recipient(
        mailbox: Mailbox(localPart: "jörg+x", domain: Domain("exämple.org")),
        originalRecipient: "utf-8;jörg+x@exämple.org",
        action: .failed, status: EnhancedStatus(5, 6, 7))

    @Test("an address outside of ASCII is told in ASCII to a sender inside of it")
    func encodesAddresses() {
        let built = report([Self.foreign]).built()
        #expect(!built.hasEightBit && !built.needsUTF8)
        let text = String(decoding: built.content.joined(), as: UTF8.self)
        #expect(text.contains("Content-Type: message/delivery-status\r\n"))
        #expect(text.contains("Final-Recipient: utf-8; j\\x{F6}rg\\x{2B}x@ex\\x{E4}mple.org\r\n"))
        #expect(text.contains("Original-Recipient: utf-8; j\\x{F6}rg\\x{2B}x@ex\\x{E4}mple.org\r\n"))
        #expect(text.contains("j=C3=B6rg+x@ex=C3=A4mple.org"))
    }

    @Test("a sender outside of ASCII gets the global kinds")
    func usesGlobalKinds() throws {
        let sender = Mailbox(localPart: "änna", domain: Domain("sender.example"))
        let built = report(content: "Subject: Grüße\r\n\r\nx\r\n", full: true, sender: sender, [Self.foreign])
            .built()
        #expect(built.hasEightBit && built.needsUTF8)
        let text = String(decoding: built.content.joined(), as: UTF8.self)
        #expect(text.contains("Content-Type: message/global-delivery-status\r\n"))
        #expect(text.contains("Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit\r\n"))
        #expect(text.contains("Final-Recipient: utf-8; jörg+x@exämple.org\r\n"))
        #expect(try #require(ReceivedReport(built.content)).recipients.count == 1)
    }

    @Test("nothing that a stranger said adds a field or a line")
    func cannotBeInjected() throws {
        var recipient = Self.failure
        recipient.originalRecipient = "rfc822;a@b\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822;evil@x"
        recipient.remoteHost = "mx\r\nStatus: 2.0.0"
        recipient.reply = Reply(
            550, nil, "no\r\n--=_report_01JDEXAMP0EXAMP0EXAMP0REPT--\r\nBcc: x\u{7}\u{200B}")
        let hostile = report(
            content: "Message-ID: <a\u{7}@b>\r\nSubject: x\r\n\ty\r\n\r\n", envelopeID: "a\r\nX: y",
            [recipient])
        let built = hostile.built()
        let read = try #require(ReceivedReport(built.content))
        #expect(read.recipients.count == 1)
        #expect(read.recipients[0].action == "failed")
        #expect(read.recipients[0].status == EnhancedStatus(5, 1, 1))
        let lines = text(hostile).split(separator: "\r\n")
        #expect(!lines.contains { $0.hasPrefix("X:") || $0.hasPrefix("Bcc:") || $0.hasPrefix("References:") })
        #expect(lines.filter { $0 == "--=_report_01JDEXAMP0EXAMP0EXAMP0REPT--" }.count == 1)
    }

    @Test("a long reply is folded at words, and none of them is lost")
    func foldsReply() throws {
        var recipient = Self.failure
        let words = (1...60).map { "word\($0)" }.joined(separator: " ")
        recipient.reply = Reply(550, EnhancedStatus(5, 1, 1), words)
        let built = report([recipient]).built()
        let read = try #require(ReceivedReport(built.content))
        let diagnostic = try #require(read.recipients[0].diagnostic)
        #expect(diagnostic.replacing("\t", with: " ") == "smtp; 550 5.1.1 " + words)
        #expect(text(report([recipient])).split(separator: "\r\n").allSatisfy { $0.utf8.count <= 78 })
    }

    @Test("no line is longer than 998 octets, whatever went in")
    func keepsLines() {
        let long = String(repeating: "y", count: 5000)
        var recipient = Self.failure
        recipient.originalRecipient = "rfc822;" + long
        recipient.remoteHost = long
        recipient.reply = Reply(550, nil, long)
        let content = "Subject: \(long)\r\nMessage-ID: <\(long)>\r\n\r\n\(long)\r\n"
        for line in text(report(content: content, full: true, [recipient])).split(separator: "\r\n") {
            #expect(line.utf8.count <= 998)
        }
    }

    @Test("a huge header is cut behind a field")
    func cutsHeader() {
        let field = "X-Field: " + String(repeating: "z", count: 50) + "\r\n"
        let content = String(repeating: field, count: 2000) + "\r\nbody\r\n"
        let built = report(content: content).built()
        #expect(built.sizeOctets < 40_000)
        let returned = String(decoding: built.content[1], as: UTF8.self)
        #expect(returned.hasSuffix(field) && returned.count % field.count == 0 && returned.count > 30_000)
    }

    @Test("a message without header or body gets its report too", arguments: ["", "\r\n", "no header\r\n"])
    func oddOriginals(_ content: String) {
        #expect(ReceivedReport(report(content: content).built().content) != nil)
        #expect(ReceivedReport(report(content: content, full: true).built().content) != nil)
    }
}
