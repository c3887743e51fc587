import Cryptography

/// The server's side of one SCRAM exchange, as lines of SMTP.
struct ScriptedScram {
    private enum State {
        case idle
        case challenged(ScramServer)
        case proven
    }

    private var state = State.idle
    private let verifier: ScramVerifier

    init(_ verifier: ScramVerifier) { self.verifier = verifier }

    /// Whether the next line belongs to the exchange, whatever it is.
    var isRunning: Bool { if case .idle = state { false } else { true } }

    /// The reply to the command or line, base64 and all.
    mutating func answer(_ line: String) -> String {
        let message = Base64.decode(line.split(separator: " ").last.map { Array($0.utf8) } ?? []) ?? []
        do throws(ScramError) {
            switch state {
            case .idle:
                var random = SecureRandom()
                let server = try ScramServer(
                    ScramClientFirst(parsing: message), verifier: verifier,
                    binding: ScramServer.Binding(isPlus: false, wasOffered: false, exporter: []),
                    entropy: random.octets(count: ScramServer.nonceOctets))
                state = .challenged(server)
                return "334 \(String(decoding: Base64.encode(server.firstMessage), as: UTF8.self))"
            case .challenged(let server):
                let final = try server.finalMessage(answering: message)
                state = .proven
                return "334 \(String(decoding: Base64.encode(final), as: UTF8.self))"
            case .proven:
                state = .idle
                return "235 2.7.0 welcome"
            }
        } catch {
            state = .idle
            return "535 5.7.8 no"
        }
    }
}
