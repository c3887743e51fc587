import AdminClient
import AdminProtocol
import ArgumentParser

/// `chappe reputation …`
struct ReputationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reputation", abstract: "What is known of networks, domains, signers and accounts.",
        subcommands: [ReputationShowCommand.self])
}

/// `chappe reputation show SUBJECT`
struct ReputationShowCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "What was counted about somebody, and by which member.",
        discussion: """
            SCORE is from -1 (all bad) to 1 (all good), SURE from 0 (never heard of) towards 1. Counts fade: half \
            of each is gone after a day.
            """)

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions

    @Argument(
        help: ArgumentHelp(
            "An address, a network, a domain, `signer DOMAIN` or `account NAME`.", valueName: "subject"))
    var words: [String]

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let report: ReputationReport = try client.get(
            "reputation", query: [("subject", words.joined(separator: " "))])
        try screen.answer(
            form, report, rows: report.rows, brief: report.rows.map(\.consequence.rawValue),
            page: page(report))
        return .ok
    }

    private func page(_ report: ReputationReport) -> [String] {
        guard !report.rows.isEmpty else { return ["nothing is known of it"] }
        var table = Table([
            ("SUBJECT", .left), ("SCORE", .right), ("SURE", .right), ("DOES", .left), ("MEMBER", .left),
            ("COUNTED", .left),
        ])
        for row in report.rows {
            table.add([
                row.subject, Self.decimal(row.score, places: 2), Self.decimal(row.sureness, places: 2),
                row.consequence == .none ? "-" : row.consequence.rawValue, "\(row.witnesses) in all", "",
            ])
            for word in row.words {
                let counters = word.counters.sorted { $0.key < $1.key }
                    .map { "\($0.key) \(Self.decimal($0.value, places: 1))" }
                table.add(["", "", "", "", word.name, counters.joined(separator: "  ")])
            }
        }
        return form.lines(table)
    }

    /// `-0.82`; what is beyond counting is shown as such.
    static func decimal(_ value: Double, places: Int) -> String {
        let scale = places == 1 ? 10 : 100
        guard value.isFinite, let scaled = Int(exactly: (value * Double(scale)).rounded()) else { return "?" }
        let rest = String(scaled.magnitude % scale.magnitude)
        let padding = String(repeating: "0", count: places - rest.count)
        return "\(scaled < 0 ? "-" : "")\(Wording.count(Int(scaled.magnitude) / scale)).\(padding)\(rest)"
    }
}
