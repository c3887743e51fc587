package import AdminProtocol
import Delivery
import Glibc
import Intake
import MailValues
import SMTPTransport
import Synchronization
import Telemetry

extension RelayNode {
    /// Reads the file again and puts all of it in force, or nothing.
    package func reload(by who: String) -> ConfigurationReport {
        service.reloading()
        defer { service.ready("taking mail") }
        let (plan, report) = examine()
        guard let plan, !report.hasErrors else {
            refuse(report, by: who)
            return report
        }
        var applied = report
        adopt(plan)
        applied.isApplied = true
        record(reload: applied, by: who)
        NodeLog.say("configuration reloaded")
        return applied
    }

    /// What a reload would find. What only a start can change is an error here: half a file in force is one that
    /// nobody has written.
    func examine() -> (NodePlan?, ConfigurationReport) {
        let (plan, problems) = NodePlan.examine(path: path)
        var report = ConfigurationReport(path, problems)
        guard let plan else { return (nil, report) }
        let old = inForce.withLock { $0.plan.configuration }
        report.needsRestart = plan.configuration.settingsThatNeedRestart(since: old)
        report.findings += report.needsRestart.map { setting in
            let place = plan.configuration.place(of: setting)
            return ConfigurationReport.Finding(
                ConfigurationProblem(
                    .error, line: place.line, column: place.column,
                    "`\(setting)` has changed, and only a restart puts that in force"))
        }
        return (plan, report)
    }

    private func refuse(_ report: ConfigurationReport, by who: String) {
        record(reload: report, by: who)
        let errors = report.findings.filter { $0.severity == .error }
        var why = errors.first.map { Self.line($0, in: path) } ?? path
        if errors.count > 1 { why += " (and \(errors.count - 1) more)" }
        inForce.withLock { $0.reloadRefusal = (WallClock.now(), why) }
        for finding in report.findings { NodeLog.say(Self.line(finding, in: path)) }
        NodeLog.say("reload refused: what was read before stays in force")
    }

    private static func line(_ finding: ConfigurationReport.Finding, in path: String) -> String {
        let place = [finding.line, finding.column].compactMap { $0 }.map { ":\($0)" }.joined()
        return "\(path)\(place): \(finding.severity.rawValue): \(finding.message)"
    }

    /// A transaction ends under what it began with, and the next of its session goes by this; what a session was offered,
    /// its TLS among it, stays as it is.
    private func adopt(_ plan: NodePlan) {
        intake.adopt(plan.intake)
        knowledge.adopt(NodePlan.knowledge(plan.configuration))
        authenticator.adopt(plan.accounts)
        dispatcher.apply(plan.delivery)
        sessions.withLock { sessions in
            for listener in plan.listeners where sessions[listener.configuration.name] != nil {
                sessions[listener.configuration.name] = listener.session
            }
        }
        for listener in plan.listeners {
            if let tls = listener.tls { certificates[listener.configuration.name]?.replace(with: tls) }
        }
        inForce.withLock { inForce in
            inForce.plan = plan
            inForce.loadedAt = WallClock.now()
            inForce.reloadRefusal = nil
        }
    }

    private func record(reload report: ConfigurationReport, by who: String) {
        var event = Event(.configuration, at: WallClock.now())
        event.add("path", path)
        event.add("by", who)
        event.add("applied", .flag(report.isApplied))
        event.add("findings", .number(Int64(report.findings.count)))
        if let first = report.findings.first(where: { $0.severity == .error }) {
            event.add("error", .text(Self.line(first, in: path)))
        }
        if !report.needsRestart.isEmpty { event.add("needs_restart", .list(report.needsRestart)) }
        events.write(event.encoded())
    }
}
