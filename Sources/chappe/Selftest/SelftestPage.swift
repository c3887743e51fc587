import AdminProtocol

/// What came of the attempts.
enum SelftestPage {
    private struct Document: Encodable {
        var schema = AdminAPI.schema
        var tried: Int
        var accepted: Int
        var results: [RelayAttack.Result]
    }

    static func tell(_ results: [RelayAttack.Result], _ form: OutputOptions, on screen: Screen) throws {
        let attempts = results.filter { !$0.isControl }
        let accepted = attempts.filter { $0.verdict == .accepted }.count
        try screen.answer(
            form, Document(tried: attempts.count, accepted: accepted, results: results), rows: results,
            brief: attempts.filter { $0.verdict == .accepted }.map { Table.harmless($0.name) },
            page: form.lines(table(results)) + verdict(results))
    }

    static func outcome(_ results: [RelayAttack.Result]) -> Outcome {
        let attempts = results.filter { !$0.isControl }
        if attempts.contains(where: { $0.verdict == .accepted }) { return .refused }
        let isSure =
            attempts.allSatisfy { $0.verdict == .refused }
            && results.allSatisfy { !$0.isControl || $0.verdict == .accepted }
        return isSure ? .ok : .partial
    }

    static func table(_ results: [RelayAttack.Result]) -> Table {
        var table = Table([("TRICK", .left), ("RESULT", .left), ("RECIPIENT", .left), ("REPLY", .left)])
        for result in results {
            let word = result.isControl || result.verdict != .accepted ? result.verdict.rawValue : "ACCEPTED"
            table.add([result.name, word, result.recipient, result.reply])
        }
        return table
    }

    static func verdict(_ results: [RelayAttack.Result]) -> [String] {
        let attempts = results.filter { !$0.isControl }
        let accepted = attempts.filter { $0.verdict == .accepted }.count
        let unsure = attempts.filter { $0.verdict != .accepted && $0.verdict != .refused }.count
        var lines = [
            "\(Wording.count(attempts.count, "trick")) tried, \(accepted) accepted, \(unsure) not told"
        ]
        if accepted > 0 {
            lines.append("THIS IS AN OPEN RELAY: strangers can send through it what they like.")
        }
        if attempts.contains(where: { $0.verdict == .turnedAway }) {
            lines.append(
                "The node would not hear this address any more: `chappe host release ADDRESS` there, or another address."
            )
        }
        if results.contains(where: { $0.isControl && $0.verdict != .accepted }) {
            lines.append("The node refused even its own recipient, so these refusals prove little.")
        }
        return lines
    }
}
