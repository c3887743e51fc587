import AdminClient
import AdminProtocol
import ArgumentParser

/// `chappe status`: the cluster, if there is one, and the node in one screen.
struct StatusCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "The cluster and the node in one screen.",
        discussion: "Exits 0 if all is well, 1 if degraded, 2 if critical.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let status: NodeStatus = try client.get("status")
        try screen.answer(form, status, page: Self.lines(status, wide: form.output == .wide))
        switch status.health {
        case .ok: return .ok
        case .degraded: return .partial
        case .critical: return .refused
        }
    }

    static func lines(_ status: NodeStatus, wide: Bool) -> [String] {
        let now = status.now.timestamp
        var table = Table([("", .left), ("", .left)])
        for line in status.cluster.map(ClusterLines.of) ?? [] { table.add([line.title, line.text]) }
        let state = status.isDraining ? "draining" : status.health.rawValue
        table.add([
            "node",
            "\(status.hostname)   \(state)   version \(status.version)   "
                + "up \(Wording.age(of: status.startedAt, now: now))   pid \(status.pid)",
        ])
        table.add(["intake", intake(status.intake)])
        table.add(["queue", queue(status, now: status.now)])
        table.add(["delivery", delivery(status.delivery)])
        table.add(["store", store(status.store)])
        table.add(["events", events(status.events)])
        if let path = status.configurationPath {
            let loaded =
                status.configurationLoadedAt.map { ", loaded \(Wording.age(of: $0, now: now)) ago" } ?? ""
            table.add(["config", path + loaded])
        }
        if wide {
            for listener in status.listeners {
                table.add(["listener", "\(listener.name)   \(listener.address)"])
            }
        }
        for problem in status.problems.sorted(by: { $0.severity > $1.severity }) {
            let word =
                problem.severity == .critical ? "CRITICAL" : problem.severity == .degraded ? "WARN" : "note"
            table.add([word, problem.advice.map { "\(problem.what): \($0)" } ?? problem.what])
        }
        return table.lines(withHeaders: false)
    }

    private static func intake(_ intake: NodeStatus.Intake) -> String {
        let counts =
            "\(Wording.count(intake.accepted)) accepted   \(Wording.count(intake.refused)) refused   "
            + "\(Wording.count(intake.refusedTemporarily)) put off   \(Wording.count(intake.sessions, "session"))"
        return intake.stopped.map { "STOPPED: \($0)   \(counts)" } ?? counts
    }

    private static func queue(_ status: NodeStatus, now: Moment) -> String {
        let queue = status.queue
        var parts = [
            Wording.count(queue.messages, "message") + (queue.isLoaded ? "" : " so far (still reading)")
        ]
        parts.append("\(Wording.count(queue.active)) active")
        parts.append("\(Wording.count(queue.deferred)) deferred")
        parts.append("\(Wording.count(queue.held)) held")
        if let offered = queue.offered, offered > 0 {
            parts.append("\(Wording.count(offered)) offered to others")
        }
        if let oldest = queue.oldest { parts.append("oldest \(Wording.age(of: oldest, now: now.timestamp))") }
        if let due = queue.dueWithinMinute { parts.append("next 60s: \(Wording.count(due))") }
        if let octets = queue.octets { parts.append(Wording.octets(octets)) }
        return parts.joined(separator: "   ")
    }

    private static func delivery(_ delivery: NodeStatus.Delivery) -> String {
        var parts = [
            "\(Wording.count(delivery.delivered)) delivered", "\(Wording.count(delivery.deferred)) deferred",
            "\(Wording.count(delivery.bounced)) bounced", "\(Wording.count(delivery.expired)) expired",
            Wording.count(delivery.connections, "connection"),
        ]
        if delivery.possibleDuplicates > 0 {
            parts.append(Wording.count(delivery.possibleDuplicates, "possible duplicate"))
        }
        if let stopped = delivery.stopped { parts.insert("STOPPED: \(stopped)", at: 0) }
        return parts.joined(separator: "   ")
    }

    private static func store(_ store: NodeStatus.Store) -> String {
        var parts = [
            "format \(store.format)", "\(Wording.octets(store.freeOctets)) free",
            "\(Wording.octets(store.reserveOctets)) kept back",
        ]
        if let used = store.usedOctets { parts.insert("\(Wording.octets(used)) used", at: 1) }
        if let sick = store.sick { parts.insert("SICK: \(sick)", at: 0) }
        return parts.joined(separator: "   ")
    }

    private static func events(_ events: NodeStatus.Events) -> String {
        let written = "\(Wording.count(events.written)) written"
        return events.dropped == 0 ? written : "\(written)   \(Wording.count(events.dropped)) DROPPED"
    }
}
