import AdminClient
import AdminProtocol
import ArgumentParser

/// `chappe can-stop`: whether this node may stop without anything losing its last holder.
struct CanStopCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "can-stop", abstract: "Whether the node may stop now: exits 0 if nothing is lost by it.",
        discussion: "For scripts. Exits 1 or 2 if something speaks against it, and says what.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        try CheckupPage.tell(client.get("cluster/can-stop"), nothing: "it may stop", form, on: screen)
    }
}

/// `chappe doctor`: what should be so, and how to mend what is not.
struct DoctorCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Looks at what should be so, and says how to mend what is not.",
        discussion: "Exits 0 if all is well, 1 if something is degraded, 2 if something is critical.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        try CheckupPage.tell(client.get("cluster/doctor"), nothing: "nothing is wrong", form, on: screen)
    }
}

/// Findings, the worst first, each with the line that mends it.
enum CheckupPage {
    static func tell(
        _ checkup: Checkup, nothing: String, _ form: OutputOptions, on screen: Screen
    ) throws -> Outcome {
        let found = checkup.findings.sorted { $0.severity > $1.severity }
        try screen.answer(form, checkup, rows: found, page: found.isEmpty ? [nothing] : lines(found))
        switch checkup.health {
        case .ok: return .ok
        case .degraded: return .partial
        case .critical: return .refused
        }
    }

    static func lines(_ findings: [Checkup.Finding]) -> [String] {
        var table = Table([("", .left), ("", .left)])
        for finding in findings {
            table.add([word(finding.severity), finding.what])
            if let advice = finding.advice { table.add(["", "-> \(advice)"]) }
        }
        return table.lines(withHeaders: false)
    }

    private static func word(_ severity: NodeStatus.Health) -> String {
        switch severity {
        case .ok: "ok"
        case .degraded: "WARN"
        case .critical: "CRITICAL"
        }
    }
}
