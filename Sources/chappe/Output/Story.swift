import AdminProtocol
import MailValues

/// A message's life, a line for each event.
enum Story {
    static func lines(_ explanation: Explanation, wide: Bool, now: Timestamp) -> [String] {
        var lines: [String] = []
        var day = ""
        for event in explanation.events {
            let time = event.at?.description ?? ""
            if time.count >= 23, time.prefix(10) != day {
                day = String(time.prefix(10))
                lines.append(day)
            }
            let clock = time.count >= 23 ? String(time.dropFirst(11).prefix(12)) : "--:--:--.---"
            let kind = event.kind.uppercased()
            let padding = String(repeating: " ", count: max(0, 11 - kind.count))
            lines.append(Table.harmless("\(clock)  \(kind)\(padding) \(sentence(event, wide: wide))"))
        }
        lines.append(end(explanation.entry, now: now))
        return lines
    }

    private static func end(_ entry: QueueEntry?, now: Timestamp) -> String {
        guard let entry else { return "It is not in the queue any more." }
        let waiting = entry.recipients.filter { $0.state == .waiting }.count
        let rest = "\(Wording.count(waiting, "recipient")) waiting"
        switch entry.state {
        case .held:
            let hold = entry.holdText.map { " by \($0)" } ?? ""
            return Table.harmless("It is held\(hold); \(rest).")
        case .active: return "It is being delivered; \(rest)."
        case .waiting, .deferred:
            let obstacle = entry.obstacleText.map { " Its destination takes nothing now: \($0)." } ?? ""
            return Table.harmless(
                "It is in the queue, next attempt \(Wording.wait(until: entry.nextAttempt, now: now)); \(rest)."
                    + obstacle)
        }
    }

    /// Fields that belong to a connection, and long ones; shown on request.
    private static let details: Set<String> = ["session", "reused", "age_ms", "cipher", "fingerprints"]

    private static func sentence(_ event: EventRecord, wide: Bool) -> String {
        var rest = event.fields
        var words: [String] = []
        func take(_ name: String) -> String? { rest.removeValue(forKey: name)?.description }
        if let from = take("from") { words.append("from \(Wording.sender(from))") }
        if let to = take("to") { words.append("to \(to)") }
        if let host = take("host") {
            let address = take("address").map { "[\($0)]" } ?? ""
            words.append("\(event.kind == "delivery" ? "by" : "at") \(host)\(address)")
        }
        if let client = take("client") {
            let name = take("client_name").map { "\($0) " } ?? ""
            let hello = take("hello").map { " (\($0))" } ?? ""
            words.append("client \(name)[\(client)]\(hello)")
        }
        if let size = rest["size"], case .number(let octets) = size {
            rest["size"] = nil
            words.append(Wording.octets(Int(octets)))
        }
        if let reply = take("reply") { words.append("\"\(reply)\"") }
        if let age = rest["age_ms"], case .number(let milliseconds) = age, event.kind == "delivery", !wide {
            words.append("after \(duration(milliseconds))")
        }
        for (name, value) in rest.sorted(by: { $0.key < $1.key }) where wide || !details.contains(name) {
            let text = value.description
            words.append("\(name)=\(text.contains(" ") ? "\"\(text)\"" : text)")
        }
        return words.joined(separator: "  ")
    }

    private static func duration(_ milliseconds: Int64) -> String {
        milliseconds < 10_000 ? "\(milliseconds) ms" : Wording.span(seconds: milliseconds / 1000)
    }
}
