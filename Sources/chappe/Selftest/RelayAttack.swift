import MailValues
import RoutingPolicy

/// Tries to get a message through a host that should refuse it, one connection for each attempt.
struct RelayAttack: Sendable {
    enum Verdict: String, Codable, Sendable {
        /// 5yz somewhere before the end: as it should be.
        case refused
        /// 2yz to the end of data: the host took the message.
        case accepted
        /// 4yz: what would have come of it cannot be told.
        case deferred
        /// No talk came about.
        case unreachable
        /// Refused before anything was asked: the host knows our address, and what it would tell others cannot be told.
        case turnedAway = "turned-away"
    }

    struct Result: Codable, Sendable {
        var name: String
        var sender: String
        var recipient: String
        var verdict: Verdict
        /// The reply that decided, and to what.
        var reply: String
        /// This one ought to have been taken.
        var isControl = false
    }

    /// One envelope and message, and the address to come from.
    struct Attempt: Sendable {
        var name: String
        var sender: [UInt8]
        var recipient: [UInt8]
        var needsUTF8 = false
        var header: [(name: String, value: String)] = []
        var body = "This message should have been refused."
    }

    let address: IPAddress
    let port: UInt16
    let source: IPAddress?
    let timeoutSeconds: Int

    /// A recipient that the host is there for: taken, it shows that the refusals of the others mean
    /// something.
    func control(_ parties: OpenRelayTrick.Parties, as stranger: IPAddress?) -> Result {
        var result = attempt(
            Attempt(
                name: "control: a recipient of ours", sender: Array("<\(parties.stranger)>".utf8),
                recipient: Array("<\(parties.ownUser)@\(parties.ownDomain)>".utf8)),
            as: stranger, stopsBeforeData: true)
        result.isControl = true
        return result
    }

    func attempt(
        _ trick: OpenRelayTrick, _ parties: OpenRelayTrick.Parties, as stranger: IPAddress?
    ) -> Result {
        attempt(
            Attempt(
                name: trick.name, sender: trick.senderArgument(parties),
                recipient: trick.recipientArgument(parties),
                needsUTF8: trick.needsUTF8),
            as: stranger)
    }

    func attempt(_ trick: TenantTrick, from network: String) -> Result {
        // Where several networks share one rule, the first stands for all.
        guard let first = network.split(separator: ",").first, let network = Network(String(first)) else {
            return Result(
                name: trick.attempt.name, sender: "", recipient: "", verdict: .unreachable,
                reply: "no network")
        }
        return attempt(trick.attempt, as: network.firstGuest)
    }

    private func attempt(_ attempt: Attempt, as guise: IPAddress?, stopsBeforeData: Bool = false) -> Result {
        var result = Result(
            name: attempt.name, sender: String(decoding: attempt.sender, as: UTF8.self),
            recipient: String(decoding: attempt.recipient, as: UTF8.self), verdict: .unreachable, reply: "")
        do {
            let talker = try PlainTalker(
                address: address, port: port, source: source, timeoutSeconds: timeoutSeconds)
            (result.verdict, result.reply) = try talk(talker, attempt, guise, stopsBeforeData)
            talker.say("QUIT")
        } catch {
            result.reply = error.description
        }
        return result
    }

    private func talk(
        _ talker: borrowing PlainTalker, _ attempt: Attempt, _ guise: IPAddress?, _ stopsBeforeData: Bool
    ) throws(PlainTalker.Failure) -> (Verdict, String) {
        var reply = try talker.reply()
        guard reply.isPositive else {
            let verdict = Self.verdict(reply)
            return (verdict == .refused ? .turnedAway : verdict, "greeting: \(reply.text)")
        }
        _ = try talker.command("EHLO elsewhere.example")
        if let guise {
            let text = guise.isV4 ? "\(guise)" : "IPV6:\(guise)"
            reply = try talker.command("XCLIENT ADDR=\(text) NAME=[UNAVAILABLE]")
            guard reply.isPositive else { return (.unreachable, "XCLIENT: \(reply.text)") }
            _ = try talker.command("EHLO elsewhere.example")
        }
        let parameter = attempt.needsUTF8 ? " SMTPUTF8" : ""
        reply = try talker.command(Array("MAIL FROM:".utf8) + attempt.sender + Array(parameter.utf8))
        guard reply.isPositive else { return (Self.verdict(reply), "MAIL: \(reply.text)") }
        reply = try talker.command(Array("RCPT TO:".utf8) + attempt.recipient)
        guard reply.isPositive else { return (Self.verdict(reply), "RCPT: \(reply.text)") }
        if stopsBeforeData { return (.accepted, "RCPT: \(reply.text)") }
        reply = try talker.command("DATA")
        guard reply.code == 354 else { return (Self.verdict(reply), "DATA: \(reply.text)") }
        reply = try talker.command(Self.message(attempt))
        return (Self.verdict(reply), "end of data: \(reply.text)")
    }

    private static func verdict(_ reply: PlainTalker.Answer) -> Verdict {
        switch reply.code / 100 {
        case 2: .accepted
        case 5: .refused
        default: .deferred
        }
    }

    /// Headers, a line, and the final dot without its CRLF, which `command` adds.
    private static func message(_ attempt: Attempt) -> [UInt8] {
        var lines = attempt.header.map { "\($0.name): \($0.value)" }
        if !attempt.header.contains(where: { $0.name == "From" }) {
            lines.append("From: <stranger@elsewhere.example>")
        }
        lines += [
            "Subject: open relay selftest", "X-Chappe-Selftest: \(attempt.name)", "", attempt.body, ".",
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }
}

extension Network {
    /// An address in it that is neither its name nor, most likely, its router.
    var firstGuest: IPAddress {
        guard prefixLength < address.bitWidth - 3 else { return address }
        switch address {
        case .v4(let bits): return .v4(bits | 7)
        case .v6(let high, let low): return .v6(high: high, low: low | 7)
        }
    }
}
