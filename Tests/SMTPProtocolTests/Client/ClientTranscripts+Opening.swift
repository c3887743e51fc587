import MailValues
import SMTPProtocol

extension ClientTranscript {
    private static let secret = DialTarget.Credentials(user: "u", password: "p")

    static let openings: [ClientTranscript] = [
        ClientTranscript(title: "EHLO is enough", text: opening("PIPELINING", "SIZE 1000")),
        ClientTranscript(
            title: "a peer without EHLO gets HELO",
            text: """
                > connected
                S: 220-mx.example
                S: 220 waits
                C: EHLO us.example
                S: 502 5.5.1 what?
                C: HELO us.example
                S: 250 mx.example
                * ready
                > quit
                C: QUIT
                S: 221 bye
                * close
                """),
        ClientTranscript(
            title: "a refusal in the greeting is answered with QUIT",
            text: """
                > connected
                S: 554 5.7.1 no
                C: QUIT
                * failed refused(554 5.7.1 no, during: "connection")
                * close
                """),
        ClientTranscript(
            title: "EHLO refused for now is no reason for HELO",
            text: """
                > connected
                S: 220 x
                C: EHLO us.example
                S: 451 later
                C: QUIT
                * failed refused(451 later, during: "EHLO")
                * close
                """),
        ClientTranscript(
            title: "LMTP says LHLO and never HELO", target: target(language: .lmtp),
            text: """
                > connected
                S: 220 x
                C: LHLO us.example
                S: 500 what
                C: QUIT
                * failed refused(500 what, during: "LHLO")
                * close
                """),
        ClientTranscript(
            title: "TLS is taken where it is offered, and EHLO said again", target: target(tls: .may),
            text: """
                > connected
                S: 220 x
                C: EHLO us.example
                S: 250-x
                S: 250 STARTTLS
                C: STARTTLS
                S: 220 go
                * startTLS
                > tls
                C: EHLO us.example
                S: 250 x
                * ready
                """),
        ClientTranscript(
            title: "words in clear behind the 220 to STARTTLS end the session", target: target(tls: .may),
            text: """
                > connected
                S: 220 x
                C: EHLO us.example
                S: 250-x
                S: 250 STARTTLS
                C: STARTTLS
                S: 220 go
                S: 250-x
                S: 250 AUTH PLAIN
                * failed broken(detail: "words in clear behind the reply to STARTTLS")
                * close
                """),
        ClientTranscript(
            title: "a peer that cannot begin TLS now is used in clear where that is allowed",
            target: target(tls: .may),
            text: """
                > connected
                S: 220 x
                C: EHLO us.example
                S: 250-x
                S: 250 STARTTLS
                C: STARTTLS
                S: 454 4.7.0 not now
                * ready
                """),
        ClientTranscript(
            title: "required TLS that is not offered is no session", target: target(tls: .require),
            text: """
                > connected
                S: 220 x
                C: EHLO us.example
                S: 250-x
                S: 250 SIZE
                C: QUIT
                * failed tlsNotOffered
                * close
                """),
        ClientTranscript(
            title: "required TLS that is refused is no session", target: target(tls: .verify(names: ["x"])),
            text: """
                > connected
                S: 220 x
                C: EHLO us.example
                S: 250-x
                S: 250 STARTTLS
                C: STARTTLS
                S: 454 4.7.0 not now
                C: QUIT
                * failed refused(454 4.7.0 not now, during: "STARTTLS")
                * close
                """),
        ClientTranscript(
            title: "a handshake that fails says so", target: target(tls: .require),
            text: """
                > connected
                S: 220 x
                C: EHLO us.example
                S: 250-x
                S: 250 STARTTLS
                C: STARTTLS
                S: 220 go
                * startTLS
                > tls-failed no cipher
                * failed tlsFailed(detail: "no cipher")
                * close
                """),
        ClientTranscript(
            title: "implicit TLS comes before the greeting", target: target(tls: .require, implicitTLS: true),
            text: """
                > connected
                * startTLS
                > tls
                S: 220 x
                C: EHLO us.example
                S: 250-x
                S: 250 STARTTLS
                * ready
                """),
        ClientTranscript(
            title: "AUTH PLAIN", target: target(credentials: secret),
            text: """
                > connected
                S: 220 x
                C: EHLO us.example
                S: 250-x
                S: 250 AUTH LOGIN PLAIN
                C: AUTH PLAIN AHUAcA==
                S: 235 2.7.0 ok
                * ready
                """),
        ClientTranscript(
            title: "AUTH LOGIN, offered in the old way", target: target(credentials: secret),
            text: """
                > connected
                S: 220 x
                C: EHLO us.example
                S: 250-x
                S: 250 AUTH=LOGIN
                C: AUTH LOGIN
                S: 334 VXNlcm5hbWU6
                C: dQ==
                S: 334 UGFzc3dvcmQ6
                C: cA==
                S: 235 ok
                * ready
                """),
        ClientTranscript(
            title: "AUTH SCRAM-SHA-256, which shows no password",
            target: target(tls: .may, credentials: secret),
            text: """
                > connected
                S: 220 x
                C: EHLO us.example
                S: 250-x
                S: 250 AUTH SCRAM-SHA-256 PLAIN
                * authenticate 
                > respond first
                C: AUTH SCRAM-SHA-256 Zmlyc3Q=
                S: 334 Y2hhbGxlbmdl
                * authenticate challenge
                > respond final
                C: ZmluYWw=
                S: 334 cHJvb2Y=
                * authenticate proof
                > respond
                C: 
                S: 235 ok
                * ready
                """),
        ClientTranscript(
            title: "SCRAM without the server's proof is no session",
            target: target(tls: .may, credentials: secret),
            text: """
                > connected
                S: 220 x
                C: EHLO us.example
                S: 250-x
                S: 250 AUTH SCRAM-SHA-256
                * authenticate 
                > respond first
                C: AUTH SCRAM-SHA-256 Zmlyc3Q=
                S: 334 Y2hhbGxlbmdl
                * authenticate challenge
                > respond final
                C: ZmluYWw=
                S: 235 ok
                * failed broken(detail: "unexpected reply to AUTH: 235 ok (at AUTH)")
                * close
                """),
        ClientTranscript(
            title: "a password is not said in clear where TLS may have been hidden",
            target: target(tls: .may, credentials: secret),
            text: """
                > connected
                S: 220 x
                C: EHLO us.example
                S: 250-x
                S: 250 AUTH PLAIN LOGIN
                C: QUIT
                * failed tlsNotOffered
                * close
                """),
        ClientTranscript(
            title: "wrong credentials are a refusal", target: target(credentials: secret),
            text: """
                > connected
                S: 220 x
                C: EHLO us.example
                S: 250-x
                S: 250 AUTH PLAIN
                C: AUTH PLAIN AHUAcA==
                S: 535 5.7.8 no
                C: QUIT
                * failed refused(535 5.7.8 no, during: "AUTH")
                * close
                """),
        ClientTranscript(
            title: "a second reply to one greeting is not taken for the answer to EHLO",
            arrivesTogether: true,
            text: """
                > connected
                S: 220 x
                S: 250 y
                C: EHLO us.example
                * failed broken(detail: "the peer spoke unasked (at EHLO)")
                * close
                """),
        ClientTranscript(
            title: "a peer that is silent is given up after five minutes",
            text: """
                > connected
                > wait 299
                > wait 1
                * failed broken(detail: "no reply to connection in time (at connection)")
                * close
                """),
        ClientTranscript(
            title: "a peer that is gone before the greeting",
            text: """
                > connected
                > gone
                * failed broken(detail: "gone (at connection)")
                * close
                """),
    ]
}
