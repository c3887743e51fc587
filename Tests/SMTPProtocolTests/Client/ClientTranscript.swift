import MailValues
import SMTPProtocol
import Testing

/// A talk seen from the client.
///
/// `S:` is what the peer sends, `>` what the shell tells the machine; `C:` and `*` are what the machine must
/// do about it, in this place. Lines of `S:` that stand together arrive together.
struct ClientTranscript: Sendable, CustomTestStringConvertible {
    var title: String
    var target = Self.target()
    var envelope = Self.envelope()
    var content: [[UInt8]] = [Array("Subject: x\r\n\r\nHello\r\n".utf8)]
    var isWhole = true
    /// What is wrong is that octets arrive before something was sent: cut, they would come after it.
    var arrivesTogether = false
    var text: String

    var testDescription: String { title }

    static func target(
        language: DialTarget.Language = .smtp, tls: DialTarget.TLSMode = .none, implicitTLS: Bool = false,
        credentials: DialTarget.Credentials? = nil
    ) -> DialTarget {
        DialTarget(
            address: .v4(0x7F00_0001), port: 25, hostName: "mx.example", language: language, tls: tls,
            implicitTLS: implicitTLS, credentials: credentials, helloName: "us.example")
    }

    static func envelope(_ recipients: String..., from sender: String = "a") -> OutboundTransaction {
        OutboundTransaction(
            reversePath: .mailbox(Mailbox(localPart: sender, domain: Domain("us.example"))),
            recipients: (recipients.isEmpty ? ["b"] : recipients).map {
                OutboundTransaction.Recipient(mailbox: Mailbox(localPart: $0, domain: Domain("mx.example")))
            },
            sizeOctets: 21)
    }

    /// The opening of most talks, with these offers.
    static func opening(_ offers: String...) -> String {
        let lines = (["mx.example"] + offers).enumerated().map { index, offer in
            "S: 250\(index == offers.count ? " " : "-")\(offer)"
        }
        return """
            > connected
            S: 220 mx.example ESMTP
            C: EHLO us.example
            \(lines.joined(separator: "\n"))
            * ready

            """
    }
}

/// Plays the peer's and the shell's lines, and writes down what the machine does.
struct ClientPlayer {
    var session: ClientSession
    let transcript: ClientTranscript
    /// Nil: what arrives together is one piece; n: it is cut behind every n-th octet.
    var cut: Int?
    private var now = Timestamp(milliseconds: 1_000_000)
    private var log: [String] = []

    init(_ transcript: ClientTranscript, cut: Int? = nil) {
        session = ClientSession(target: transcript.target, offersSCRAM: true)
        self.transcript = transcript
        self.cut = cut
    }

    mutating func play() -> String {
        var arriving: [UInt8] = []
        for line in transcript.text.split(separator: "\n") {
            if line.hasPrefix("S: ") {
                log.append(String(line))
                arriving += line.dropFirst(3).utf8 + [0x0D, 0x0A]
                continue
            }
            arrive(&arriving)
            if line.hasPrefix("> ") { tell(String(line.dropFirst(2))) }
        }
        arrive(&arriving)
        return log.joined(separator: "\n")
    }

    private mutating func arrive(_ octets: inout [UInt8]) {
        guard !octets.isEmpty else { return }
        var actions: [ClientAction] = []
        let size = cut ?? octets.count
        for start in stride(from: 0, to: octets.count, by: size) {
            octets[start..<min(start + size, octets.count)].withUnsafeBytes {
                session.receive($0, now: now, into: &actions)
            }
        }
        octets = []
        write(actions)
    }

    private mutating func tell(_ word: String) {
        log.append("> \(word)")
        var actions: [ClientAction] = []
        session.handle(event(word), now: now, into: &actions)
        write(actions)
    }

    private mutating func event(_ word: String) -> ClientEvent {
        let (name, argument) = word.split(separator: " ", maxSplits: 1).splat
        switch name {
        case "connected": return .connected
        case "tls": return .tlsEstablished(TLSFacts(version: "TLSv1.3", cipher: "X"))
        case "tls-failed": return .tlsFailed(detail: argument)
        case "begin":
            return .begin(transcript.envelope, content: transcript.content, isWhole: transcript.isWhole)
        case "more": return .content([Array(argument.utf8) + [0x0D, 0x0A]], isLast: false)
        case "last":
            return .content(argument.isEmpty ? [] : [Array(argument.utf8) + [0x0D, 0x0A]], isLast: true)
        case "unreadable": return .contentFailed
        case "respond": return .authenticationResponse(argument == "nothing" ? nil : Array(argument.utf8))
        case "quit": return .quit
        case "gone": return .disconnected(detail: "gone")
        case "wait":
            now = now + .seconds(Int(argument)!)
            return .deadlinePassed
        default: preconditionFailure("no such event: \(word)")
        }
    }

    private mutating func write(_ actions: [ClientAction]) {
        var sent: [UInt8] = []
        func lines() -> [String] {
            String(decoding: sent, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
                .dropLast()
                .map { "C: \($0)" }
        }
        for action in actions {
            if case .send(let octets) = action {
                sent += octets
                continue
            }
            log += lines()
            sent = []
            log.append("* \(Self.describe(action))")
        }
        log += lines()
    }

    private static func describe(_ action: ClientAction) -> String {
        switch action {
        case .send: ""
        case .startTLS: "startTLS"
        case .authenticate(let challenge):
            "authenticate \(challenge.map { String(decoding: $0, as: UTF8.self) } ?? "")"
        case .ready: "ready"
        case .failed(let error): "failed \(error)"
        case .needContent: "needContent"
        case .finished(let outcome):
            "finished \(outcome.connectionUsable ? "usable" : "unusable"): "
                + outcome.recipients.map(describe).joined(separator: "; ")
        case .close: "close"
        }
    }

    private static func describe(_ outcome: TransactionOutcome.RecipientOutcome) -> String {
        switch outcome {
        case .delivered(let reply): "delivered \(reply)"
        case .refused(let reply, let command): "refused \(reply) (\(command))"
        case .lost(let detail, let afterDot): "lost \(detail)\(afterDot ? " after dot" : "")"
        }
    }
}

extension [Substring] {
    fileprivate var splat: (String, String) { (String(self[0]), count > 1 ? String(self[1]) : "") }
}

/// All lines of a transcript as they should come out.
private func normalised(_ text: String) -> String { text.split(separator: "\n").joined(separator: "\n") }

@Suite("The client's talk")
struct ClientTranscriptTests {
    @Test(
        "goes as written",
        arguments: ClientTranscript.openings + ClientTranscript.transactions + ClientTranscript.breaks)
    func asWritten(_ transcript: ClientTranscript) {
        var player = ClientPlayer(transcript)
        #expect(player.play() == normalised(transcript.text))
    }

    @Test(
        "goes the same way however its octets are cut",
        arguments: (ClientTranscript.openings + ClientTranscript.transactions + ClientTranscript.breaks)
            .filter { !$0.arrivesTogether })
    func anyCut(_ transcript: ClientTranscript) {
        for cut in 1...40 {
            var player = ClientPlayer(transcript, cut: cut)
            #expect(player.play() == normalised(transcript.text), "cut behind every \(cut) octets")
        }
    }
}
