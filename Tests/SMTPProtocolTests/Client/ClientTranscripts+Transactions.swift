import MailValues
import SMTPProtocol

extension ClientTranscript {
    private static let ready = opening("PIPELINING")
    private static let plain = opening("SIZE")
    private static let chunking = opening("PIPELINING", "CHUNKING")
    private static let lmtp = opening("PIPELINING").replacing("EHLO", with: "LHLO")

    static let transactions: [ClientTranscript] = [
        ClientTranscript(
            title: "with PIPELINING the envelope and DATA are one group",
            text: ready + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                C: DATA
                S: 250 ok
                S: 250 ok
                S: 354 go
                C: Subject: x
                C: \("")
                C: Hello
                C: .
                S: 250 2.0.0 queued
                * finished usable: delivered 250 2.0.0 queued
                """),
        ClientTranscript(
            title: "without PIPELINING each command waits",
            envelope: envelope("b", "c"),
            text: plain + """
                > begin
                C: MAIL FROM:<a@us.example> SIZE=21
                S: 250 ok
                C: RCPT TO:<b@mx.example>
                S: 550 5.1.1 who
                C: RCPT TO:<c@mx.example>
                S: 251 elsewhere
                C: DATA
                S: 354 go
                C: Subject: x
                C: \("")
                C: Hello
                C: .
                S: 250 queued
                * finished usable: refused 550 5.1.1 who (RCPT); delivered 250 queued
                """),
        ClientTranscript(
            title: "with CHUNKING everything is one group",
            text: chunking + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                C: BDAT 21 LAST
                C: Subject: x
                C: \("")
                C: Hello
                S: 250 ok
                S: 250 ok
                S: 250 queued
                * finished usable: delivered 250 queued
                """),
        ClientTranscript(
            title: "dots are doubled in DATA and stand as they are in BDAT",
            content: [Array(".a\r\n..b\r\n".utf8), Array(".c".utf8), Array("\r\n".utf8)],
            text: ready + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                C: DATA
                S: 250 ok
                S: 250 ok
                S: 354 go
                C: ..a
                C: ...b
                C: ..c
                C: .
                S: 250 queued
                * finished usable: delivered 250 queued
                """),
        ClientTranscript(
            title: "when all recipients are refused and DATA is not, a lone dot goes",
            text: ready + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                C: DATA
                S: 250 ok
                S: 550 no
                S: 354 go
                C: .
                S: 554 no valid recipients
                * finished usable: refused 550 no (RCPT)
                > begin
                C: RSET
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                C: DATA
                S: 250 reset
                S: 250 ok
                S: 451 4.2.1 greylisted
                S: 503 no
                * finished usable: refused 451 4.2.1 greylisted (RCPT)
                """),
        ClientTranscript(
            title:
                "when all recipients are refused step by step, DATA is not said and RSET comes before the next MAIL",
            text: plain + """
                > begin
                C: MAIL FROM:<a@us.example> SIZE=21
                S: 250 ok
                C: RCPT TO:<b@mx.example>
                S: 550 no
                * finished usable: refused 550 no (RCPT)
                > begin
                C: RSET
                S: 250 ok
                C: MAIL FROM:<a@us.example> SIZE=21
                S: 552 5.3.4 too big
                * finished usable: refused 552 5.3.4 too big (MAIL)
                """),
        ClientTranscript(
            title: "MAIL refused refuses all, whatever RCPT is told",
            envelope: envelope("b", "c"),
            text: ready + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                C: RCPT TO:<c@mx.example>
                C: DATA
                S: 550 5.7.1 not you
                S: 250 ok
                S: 503 first MAIL
                S: 503 first MAIL
                * finished usable: refused 550 5.7.1 not you (MAIL); refused 550 5.7.1 not you (MAIL)
                """),
        ClientTranscript(
            title: "DATA refused refuses those who were accepted",
            envelope: envelope("b", "c"),
            text: ready + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                C: RCPT TO:<c@mx.example>
                C: DATA
                S: 250 ok
                S: 550 who
                S: 250 ok
                S: 451 later
                * finished usable: refused 550 who (RCPT); refused 451 later (DATA)
                """),
        ClientTranscript(
            title: "the message itself may be refused",
            text: ready + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                C: DATA
                S: 250 ok
                S: 250 ok
                S: 354 go
                C: Subject: x
                C: \("")
                C: Hello
                C: .
                S: 554-5.7.1 spam
                S: 554 5.7.1 really
                * finished usable: refused 554 5.7.1 spam / really (end of data)
                """),
        ClientTranscript(
            title: "LMTP answers for each recipient that was accepted", target: target(language: .lmtp),
            envelope: envelope("b", "c", "d"),
            text: lmtp + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                C: RCPT TO:<c@mx.example>
                C: RCPT TO:<d@mx.example>
                C: DATA
                S: 250 ok
                S: 250 ok
                S: 550 who
                S: 250 ok
                S: 354 go
                C: Subject: x
                C: \("")
                C: Hello
                C: .
                S: 250 for b
                S: 452 4.2.2 full
                * finished usable: delivered 250 for b; refused 550 who (RCPT); refused 452 4.2.2 full (end of data)
                """),
        ClientTranscript(
            title: "what is only halfway read goes out piece by piece",
            content: [Array("one\r\n".utf8)], isWhole: false,
            text: ready + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                C: DATA
                S: 250 ok
                S: 250 ok
                S: 354 go
                C: one
                * needContent
                > more .two
                C: ..two
                * needContent
                > last
                C: .
                S: 250 queued
                * finished usable: delivered 250 queued
                """),
        ClientTranscript(
            title: "a long message goes in chunks after the envelope, the last one marked",
            content: [Array("one\r\n".utf8)], isWhole: false,
            text: chunking + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                S: 250 ok
                S: 250 ok
                * needContent
                > more .two
                C: BDAT 5
                C: one
                * needContent
                > last three
                C: BDAT 6
                C: .two
                C: BDAT 7 LAST
                C: three
                S: 250 ok
                S: 250 ok
                S: 250 queued
                * finished usable: delivered 250 queued
                """),
        ClientTranscript(
            title: "without PIPELINING chunks wait for each other",
            content: [Array("one\r\n".utf8)], isWhole: false,
            text: opening("CHUNKING") + """
                > begin
                C: MAIL FROM:<a@us.example>
                S: 250 ok
                C: RCPT TO:<b@mx.example>
                S: 250 ok
                * needContent
                > last two
                C: BDAT 5
                C: one
                S: 250 ok
                C: BDAT 5 LAST
                C: two
                S: 250 queued
                * finished usable: delivered 250 queued
                """),
        ClientTranscript(
            title: "a refused chunk fails the transaction, and RSET follows",
            content: [Array("one\r\n".utf8)], isWhole: false,
            text: chunking + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                S: 250 ok
                S: 250 ok
                * needContent
                > more two
                C: BDAT 5
                C: one
                * needContent
                S: 552 5.3.4 too big
                * finished usable: refused 552 5.3.4 too big (BDAT)
                > last
                > begin
                C: RSET
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                S: 250 ok
                S: 250 ok
                S: 452 full
                * finished usable: refused 452 full (RCPT)
                """),
        ClientTranscript(
            title: "no more recipients are named than the peer takes",
            envelope: envelope("b", "c"),
            text: opening("PIPELINING", "LIMITS RCPTMAX=1") + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                C: DATA
                S: 250 ok
                S: 250 ok
                S: 354 go
                C: Subject: x
                C: \("")
                C: Hello
                C: .
                S: 250 queued
                * finished usable: delivered 250 queued; refused 452 4.5.3 More recipients than the host takes at once (RCPT)
                """),
        ClientTranscript(
            title: "a peer that takes one message hears QUIT after it",
            text: opening("PIPELINING", "CHUNKING", "LIMITS MAILMAX=1") + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                C: BDAT 21 LAST
                C: Subject: x
                C: \("")
                C: Hello
                S: 250 ok
                S: 250 ok
                S: 250 queued
                * finished unusable: delivered 250 queued
                C: QUIT
                S: 221 bye
                * close
                """),
        ClientTranscript(
            title: "an address that would end its line is never sent",
            envelope: envelope("b\r\nRCPT TO:<evil", "c"),
            text: ready + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<c@mx.example>
                C: DATA
                S: 250 ok
                S: 450 busy
                S: 503 no
                * finished usable: refused 553 5.1.3 Recipient address cannot be sent (RCPT); refused 450 busy (RCPT)
                """),
        ClientTranscript(
            title: "a sender that would end its line is never sent",
            envelope: envelope(from: "a\nb"),
            text: ready + """
                > begin
                * finished usable: refused 553 5.1.7 Sender address cannot be sent (MAIL)
                """),
    ]
}
