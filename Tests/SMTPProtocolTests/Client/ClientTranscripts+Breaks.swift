import MailValues
import SMTPProtocol

extension ClientTranscript {
    private static let ready = opening("PIPELINING")
    private static let envelopeSent = """
        > begin
        C: MAIL FROM:<a@us.example>
        C: RCPT TO:<b@mx.example>
        C: DATA

        """
    private static let contentSent =
        envelopeSent + """
            S: 250 ok
            S: 250 ok
            S: 354 go
            C: Subject: x
            C: \("")
            C: Hello
            C: .

            """
    private static let halfSent =
        envelopeSent + """
            S: 250 ok
            S: 250 ok
            S: 354 go
            C: Subject: x
            C: \("")
            C: Hello
            * needContent

            """

    static let breaks: [ClientTranscript] = [
        ClientTranscript(
            title: "421 to an idle client ends the session",
            text: ready + """
                S: 421 4.3.2 going down
                * close
                > begin
                * finished unusable: lost the connection was closed
                """),
        ClientTranscript(
            title: "421 to MAIL refuses all, and nobody waits for more",
            text: ready + envelopeSent + """
                S: 421 4.7.0 too many
                * finished unusable: refused 421 4.7.0 too many (MAIL)
                * close
                """),
        ClientTranscript(
            title: "421 after the dot is a refusal",
            text: ready + contentSent + """
                S: 421 4.3.2 going down
                * finished unusable: refused 421 4.3.2 going down (end of data)
                * close
                """),
        ClientTranscript(
            title: "a peer that is gone before the dot has nothing",
            text: ready + envelopeSent + """
                S: 250 ok
                > gone
                * finished unusable: lost gone
                * close
                """),
        ClientTranscript(
            title: "a peer that is gone after the dot may have the message",
            text: ready + contentSent + """
                > gone
                * finished unusable: lost gone after dot
                * close
                """),
        ClientTranscript(
            title: "a peer that is gone after one group with everything may have the message",
            text: opening("PIPELINING", "CHUNKING") + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                C: BDAT 21 LAST
                C: Subject: x
                C: \("")
                C: Hello
                S: 250 ok
                > gone
                * finished unusable: lost gone after dot
                * close
                """),
        ClientTranscript(
            title: "of an LMTP talk that breaks, those who were answered keep their answer",
            target: target(language: .lmtp),
            envelope: envelope("b", "c"),
            text: ready.replacing("EHLO", with: "LHLO") + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                C: RCPT TO:<c@mx.example>
                C: DATA
                S: 250 ok
                S: 250 ok
                S: 250 ok
                S: 354 go
                C: Subject: x
                C: \("")
                C: Hello
                C: .
                S: 250 for b
                > gone
                * finished unusable: delivered 250 for b; lost gone after dot
                * close
                """),
        ClientTranscript(
            title: "each command has its own patience",
            text: ready + envelopeSent + """
                > wait 299
                S: 250 ok
                > wait 299
                S: 250 ok
                > wait 119
                S: 354 go
                C: Subject: x
                C: \("")
                C: Hello
                C: .
                > wait 599
                > wait 1
                * finished unusable: lost no reply to end of data in time after dot
                * close
                """),
        ClientTranscript(
            title: "354 that does not come within two minutes",
            text: ready + envelopeSent + """
                S: 250 ok
                S: 250 ok
                > wait 120
                * finished unusable: lost no reply to DATA in time
                * close
                """),
        ClientTranscript(
            title: "a refusal in the middle of the content is heard, and no dot follows",
            isWhole: false,
            text: ready + halfSent + """
                S: 552 5.3.4 too big
                * finished unusable: refused 552 5.3.4 too big (content)
                * close
                """),
        ClientTranscript(
            title: "a 250 in the middle of the content is no delivery",
            isWhole: false,
            text: ready + halfSent + """
                S: 250 thanks
                * finished unusable: lost unexpected reply to content: 250 thanks
                * close
                """),
        ClientTranscript(
            title: "what we cannot read ourselves is given up without a dot",
            isWhole: false,
            text: ready + halfSent + """
                > unreadable
                * finished unusable: lost our own content could not be read
                * close
                """),
        ClientTranscript(
            title: "more replies than commands end the session after the last true one",
            text: ready + contentSent + """
                S: 250 queued
                S: 250 again
                * finished usable: delivered 250 queued
                * close
                """),
        ClientTranscript(
            title: "an injected reply is not the answer to the dot",
            arrivesTogether: true,
            text: ready + envelopeSent + """
                S: 250 ok
                S: 250 ok
                S: 354 go
                S: 250 queued
                C: Subject: x
                C: \("")
                C: Hello
                C: .
                * finished unusable: lost the peer spoke unasked after dot
                * close
                """),
        ClientTranscript(
            title: "a reply between chunks that answers none of them ends the session",
            content: [Array("one\r\n".utf8)], isWhole: false,
            text: opening("PIPELINING", "CHUNKING") + """
                > begin
                C: MAIL FROM:<a@us.example>
                C: RCPT TO:<b@mx.example>
                S: 250 ok
                S: 250 ok
                * needContent
                S: 452 4.3.1 full
                * finished unusable: refused 452 4.3.1 full (content)
                * close
                """),
        ClientTranscript(
            title: "a forged record in the middle of a transaction loses it",
            text: ready + contentSent + """
                > tls-failed bad record
                * finished unusable: lost bad record after dot
                * close
                """),
        ClientTranscript(
            title: "250 to DATA is no invitation",
            text: ready + envelopeSent + """
                S: 250 ok
                S: 250 ok
                S: 250 go
                * finished unusable: lost unexpected reply to DATA: 250 go
                * close
                """),
        ClientTranscript(
            title: "lines of one reply with two codes",
            text: ready + envelopeSent + """
                S: 250-ok
                S: 550 no
                * finished unusable: lost the lines of a reply bear different codes
                * close
                """),
        ClientTranscript(
            title: "quitting in the middle of a transaction gives it up",
            isWhole: false,
            text: ready + halfSent + """
                > quit
                * finished unusable: lost given up
                * close
                """),
        ClientTranscript(
            title: "the 221 is not waited for long",
            text: ready + """
                > quit
                C: QUIT
                > wait 5
                * close
                """),
    ]
}
