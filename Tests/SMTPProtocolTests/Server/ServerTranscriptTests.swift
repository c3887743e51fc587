import MailValues
import Testing

@testable import SMTPProtocol

@Suite("Talks with the server, from Transcripts/")
struct ServerTranscriptTests {
    @Test("each line is answered as written", arguments: Transcript.all)
    func interactive(_ transcript: Transcript) {
        #expect(play(transcript, .atOnce) { $0.map { [$0] } } == expectation(transcript))
    }

    @Test("octet by octet, the talk is the same", arguments: Transcript.all)
    func octetByOctet(_ transcript: Transcript) {
        #expect(play(transcript, .atOnce) { $0.map { $0.map { [$0] } } } == expectation(transcript))
    }

    @Test("all at once, and answers that come late, make the same talk", arguments: Transcript.all)
    func groupsAndLateAnswers(_ transcript: Transcript) {
        let grouped = play(transcript, .whenTold) { [[$0.flatMap { $0 }]] }
        #expect(grouped.text == expectation(transcript).text)
        #expect(grouped.messages == expectation(transcript).messages)
        #expect(grouped.isClosed == expectation(transcript).isClosed)
    }

    struct Outcome: Equatable, CustomStringConvertible {
        var text: String
        var messages: [[UInt8]]
        var isClosed: Bool
        var description: String {
            text + messages.map { "M: \(String(decoding: $0, as: UTF8.self).debugDescription)\n" }.joined()
                + (isClosed ? "closed" : "open")
        }
    }

    private func expectation(_ transcript: Transcript) -> Outcome {
        var outcome = Outcome(text: "", messages: [], isClosed: false)
        for step in transcript.steps {
            switch step {
            case .server(let line): outcome.text += line + "\r\n"
            case .message(let content): outcome.messages.append(content)
            case .closed: outcome.isClosed = true
            case .client, .event: break
            }
        }
        return outcome
    }

    /// `cut` turns the client's lines between two other steps into reads, grouped by line.
    private func play(
        _ transcript: Transcript, _ answering: ServerConversation.Answering, cut: ([[UInt8]]) -> [[[UInt8]]]
    ) -> Outcome {
        var talk = ServerConversation(transcript.options, facts: transcript.facts, answering: answering)
        talk.answerAll()
        var lines: [[UInt8]] = []
        func flush() {
            for reads in cut(lines) {
                for read in reads { talk.receive(read) }
                talk.answerAll()
            }
            lines = []
        }
        for step in transcript.steps {
            switch step {
            case .client(let line): lines.append(line)
            case .event(let event):
                flush()
                happen(event, &talk)
                talk.answerAll()
            case .server, .message, .closed: break
            }
        }
        flush()
        return Outcome(text: talk.sentText, messages: talk.messages.map(\.content), isClosed: talk.isClosed)
    }

    private func happen(_ event: String, _ talk: inout ServerConversation) {
        switch event {
        case "tls": talk.handle(.tlsEstablished(.testing))
        case "drain": talk.handle(.drain)
        case "cut": talk.handle(.cut)
        case "disconnect": talk.handle(.disconnected)
        default:
            talk.now = talk.now + .seconds(Int(event)!)
            talk.handle(.deadlinePassed)
        }
    }
}
