import Foundation
import MailValues

@testable import SMTPProtocol

/// One talk from `Transcripts/`: what the client says, what it must hear, what happens beside.
///
/// A line begins with what it is:
/// `C:` a line of the client, CRLF added; `C=` its octets with escapes (`\r \n \t \0 \xHH \\`);
/// `C*n:` the line n times;
/// `S:` a line that we send; `M:` a message that the house has got, with escapes; `-:` we have closed;
/// `E:` an event: tls, drain, cut, disconnect, or time in seconds; `O:` an option of the listener; `#` a remark.
struct Transcript: CustomStringConvertible, Sendable {
    enum Step: Sendable, Equatable {
        case client([UInt8])
        case server(String)
        case message([UInt8])
        case closed
        case event(String)
    }

    let name: String
    let options: SessionOptions
    let facts: ConnectionFacts
    let steps: [Step]
    var description: String { name }

    static let all: [Transcript] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Transcripts")
        let names = try! FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
            .sorted()
        return names.filter { $0.hasSuffix(".smtp") }.map { name in
            Transcript(name, try! String(contentsOf: folder.appending(path: name), encoding: .utf8))
        }
    }()

    init(_ name: String, _ text: String) {
        var options = SessionOptions.testing
        var facts = ConnectionFacts.testing
        var steps: [Step] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: true) where !line.hasPrefix("#") {
            let colon = line.firstIndex { $0 == ":" || $0 == "=" }!
            let rest = String(line[line.index(after: colon)...].dropFirst(line.hasSuffix(":") ? 0 : 1))
            switch line[...colon] {
            case "C:": steps.append(.client(Array(rest.utf8) + [0x0D, 0x0A]))
            case "C=": steps.append(.client(Self.unescape(rest)))
            case let head where head.hasPrefix("C*"):
                for _ in 0..<Int(head.dropFirst(2).dropLast())! {
                    steps.append(.client(Array(rest.utf8) + [0x0D, 0x0A]))
                }
            case "S:": steps.append(.server(rest))
            case "M:": steps.append(.message(Self.unescape(rest)))
            case "-:": steps.append(.closed)
            case "E:": steps.append(.event(rest))
            case "O:": Self.set(rest, &options, &facts)
            default: preconditionFailure("\(name): what is \(line)?")
            }
        }
        self.name = name
        self.options = options
        self.facts = facts
        self.steps = steps
    }

    private static func set(_ option: String, _ options: inout SessionOptions, _ facts: inout ConnectionFacts)
    {
        let words = option.split(separator: " ").map(String.init)
        switch words[0] {
        case "starttls": options.tls = .startTLS
        case "implicit": options.tls = .implicit
        case "requires-tls": options.requiresTLS = true
        case "auth": options.authenticationMechanisms = Array(words.dropFirst())
        case "clear-auth": options.allowsClearAuthentication = true
        case "refuse-line-ends": options.lineEnds = .refuse
        case "withhold": options.withheldExtensions = Set(words.dropFirst())
        case "xclient": options.xclientPeers = NetworkSet([Network(words[1])!])
        case "health-check": facts.isHealthCheck = true
        case "recipients": options.limits.recipientCount = Int(words[1])!
        case "transactions": options.limits.transactionCount = Int(words[1])!
        case "message": options.limits.messageOctets = Int(words[1])!
        case "header": options.limits.headerOctets = Int(words[1])!
        case "text-line": options.limits.textLineOctets = Int(words[1])!
        case "errors": options.limits.errorCount = Int(words[1])!
        case "junk": options.limits.junkCommandCount = Int(words[1])!
        case "auth-line": options.limits.authenticationLineOctets = Int(words[1])!
        case "piece": options.limits.contentPieceOctets = Int(words[1])!
        default: preconditionFailure("no option \(option)")
        }
    }

    static func unescape(_ text: String) -> [UInt8] {
        var octets: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let octet = rest.popFirst() {
            guard octet == 0x5C, let letter = rest.popFirst() else {
                octets.append(octet)
                continue
            }
            switch letter {
            case UInt8(ascii: "r"): octets.append(0x0D)
            case UInt8(ascii: "n"): octets.append(0x0A)
            case UInt8(ascii: "t"): octets.append(0x09)
            case UInt8(ascii: "0"): octets.append(0)
            case UInt8(ascii: "x"):
                octets.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)!)
                rest = rest.dropFirst(2)
            default: octets.append(letter)
            }
        }
        return octets
    }
}
