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
            record(reload: report, by: who)
            inForce.withLock { $0.reloadRefusedAt = WallClock.now() }
            for finding in report.findings { NodeLog.say(Self.line(finding, in: path)) }
            NodeLog.say("reload refused: what was read before stays in force")
            return report
        }
        var applied = report
        applied.needsRestart = differencesThatNeedRestart(plan.configuration)
        adopt(plan)
        applied.isApplied = true
        record(reload: applied, by: who)
        NodeLog.say("configuration reloaded")
        return applied
    }

    /// What a reload would find.
    func examine() -> (NodePlan?, ConfigurationReport) {
        do {
            let configuration = try Configuration.load(path: path)
            let warnings = configuration.warnings.map(Self.finding)
            do {
                return (try NodePlan(configuration), ConfigurationReport(path: path, findings: warnings))
            } catch {
                let finding = ConfigurationReport.Finding(.error, "\(error)")
                return (nil, ConfigurationReport(path: path, findings: warnings + [finding]))
            }
        } catch {
            return (nil, ConfigurationReport(path: path, findings: error.problems.map(Self.finding)))
        }
    }

    private static func finding(_ problem: ConfigurationProblem) -> ConfigurationReport.Finding {
        ConfigurationReport.Finding(
            problem.severity == .error ? .error : .warning, line: problem.line == 0 ? nil : problem.line,
            column: problem.column == 0 ? nil : problem.column, problem.message)
    }

    private static func line(_ finding: ConfigurationReport.Finding, in path: String) -> String {
        let place = [finding.line, finding.column].compactMap { $0 }.map { ":\($0)" }.joined()
        return "\(path)\(place): \(finding.severity.rawValue): \(finding.message)"
    }

    /// Sessions and connections that are open keep what they began with.
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
            inForce.reloadRefusedAt = nil
        }
    }

    /// Settings that only a start can change, where the file now says otherwise.
    private func differencesThatNeedRestart(_ new: Configuration) -> [String] {
        let old = inForce.withLock { $0.plan.configuration }
        var names: [String] = []
        func compare(_ name: String, _ isSame: Bool) { if !isSame { names.append(name) } }
        compare("data-directory", old.dataDirectory == new.dataDirectory)
        compare("user", old.user == new.user && old.group == new.group)
        compare("event-loops", old.eventLoopCount == new.eventLoopCount)
        compare("dns", old.dns == new.dns)
        compare("queue", old.queue == new.queue)
        compare("admin", old.admin == new.admin)
        compare("cluster", old.cluster == new.cluster)
        compare("events", old.events == new.events)
        compare("intake.octets-in-flight", old.intake.octetsInFlight == new.intake.octetsInFlight)
        compare("tls.server-authorities", old.tls.serverAuthoritiesFile == new.tls.serverAuthoritiesFile)
        let sockets = { (configuration: Configuration) in
            configuration.listeners.map { "\($0.name) \($0.endpoints) \($0.tls) \($0.proxyPeers)" }
        }
        compare("listeners (names, addresses, tls, proxy peers)", sockets(old) == sockets(new))
        return names
    }

    private func record(reload report: ConfigurationReport, by who: String) {
        var event = Event(.configuration, at: WallClock.now())
        event.add("path", path)
        event.add("by", who)
        event.add("applied", .flag(report.isApplied))
        event.add("findings", .number(Int64(report.findings.count)))
        if !report.needsRestart.isEmpty { event.add("needs_restart", .list(report.needsRestart)) }
        events.write(event.encoded())
    }
}
