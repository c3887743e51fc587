import AdminClient
import AdminProtocol
import ArgumentParser
import RelayNode

/// `chappe config …`
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Looks at configuration files.",
        subcommands: [ConfigCheckCommand.self])
}

/// `chappe config check [FILE]`: needs no running node.
struct ConfigCheckCommand: ScreenCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Says what is wrong or doubtful in a configuration file.",
        discussion: """
            Reads the file itself, and the files it names; no node need be running. Exits 0 if a node would take \
            the file, with warnings or without, and 2 if not; with --strict a warning is enough for 2.
            """)

    @OptionGroup var form: OutputOptions

    @Flag(name: .long, help: "Warnings count as errors.")
    var strict = false

    @Argument(help: "The file.")
    var file = "/etc/chappe/chappe.yaml"

    func perform(on screen: Screen) throws -> Outcome {
        let report = ConfigurationCheck.report(on: file)
        try ReportPage.tell(report, form, on: screen)
        if report.hasErrors || (strict && !report.findings.isEmpty) { return .refused }
        return .ok
    }
}

/// `chappe reload`: the node reads its configuration anew, wholly or not at all.
struct ReloadCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "The node reads its configuration anew: wholly, or not at all.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let report: ConfigurationReport = try client.send(EmptyBody(), to: "configuration/reload")
        try ReportPage.tell(report, form, on: screen)
        if form.isTable && !form.quiet {
            screen.say(report.isApplied ? "The node works by it now." : "Nothing was changed.")
            if !report.isApplied && !report.needsRestart.isEmpty {
                screen.say("`systemctl restart chappe` puts all of it in force.")
            }
        }
        return report.isApplied ? .ok : .refused
    }
}

struct EmptyBody: Encodable {
    var schema = AdminAPI.schema
}

/// Findings as compilers write them, so that editors jump to the line.
enum ReportPage {
    static func tell(_ report: ConfigurationReport, _ form: OutputOptions, on screen: Screen) throws {
        try screen.answer(form, report, page: lines(report))
    }

    static func lines(_ report: ConfigurationReport) -> [String] {
        guard !report.findings.isEmpty else { return ["\(report.path): nothing is wrong"] }
        return report.findings.map { finding in
            let place = [finding.line, finding.column].compactMap { $0 }.map { "\($0):" }.joined()
            return Table.harmless("\(report.path):\(place) \(finding.severity.rawValue): \(finding.message)")
        }
    }
}
