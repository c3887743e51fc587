package import AdminProtocol
package import MailValues
import Synchronization

/// A node of which a test says what is in its queue, and which remembers what it was asked to do.
package final class FakeBackend: AdminBackend, HealthSource {
    package struct State: Sendable {
        package var now = Timestamp(milliseconds: 1_795_533_592_123)
        package var entries: [QueueEntry] = []
        package var problems: [NodeStatus.Problem] = []
        package var cluster: NodeStatus.Cluster?
        package var ledger: [String: [[UInt8]]] = [:]
        package var raw: [String: [[UInt8]]] = [:]
        package var report = ConfigurationReport(path: "/etc/chappe/chappe.yaml", findings: [])
        package var facts = SelftestFacts(
            hostname: "mx.example.org", listeners: [], relayDomains: [], sharedNetworks: [])
        package var failure: AdminProblem?
        package var unreadiness: String?
        /// What changed something, in words.
        package var deeds: [String] = []
    }

    private let state = Mutex(State())

    package init() {}

    package func with<Result: Sendable>(_ body: (inout State) throws -> Result) rethrows -> Result {
        try state.withLock { try body(&$0) }
    }

    package var deeds: [String] { state.withLock { $0.deeds } }

    private func read<Result: Sendable>(_ body: (inout State) -> Result) throws(AdminProblem) -> Result {
        let (failure, result) = state.withLock { ($0.failure, body(&$0)) }
        if let failure { throw failure }
        return result
    }

    package func version() async -> VersionAnswer {
        VersionAnswer(version: "0.0.0-fake", hostname: "mx.example.org")
    }

    package func status() async throws(AdminProblem) -> NodeStatus {
        try read { state in
            var status = NodeStatus(
                hostname: "mx.example.org", version: "0.0.0-fake", pid: 42,
                startedAt: Moment(state.now - .seconds(7200)), now: Moment(state.now))
            status.queue.messages = state.entries.count
            status.queue.held = state.entries.filter { $0.state == .held }.count
            status.queue.oldest = state.entries.map(\.acceptedAt).min()
            status.intake.accepted = 21_004
            status.store.freeOctets = 5 << 30
            status.listeners = [NodeStatus.Listener(name: "mx", address: "0.0.0.0:25")]
            status.cluster = state.cluster
            status.problems = state.problems
            return status
        }
    }

    package func queuePage(
        _ filter: QueueFilter, limit: Int, cursor: String?
    ) async throws(AdminProblem) -> QueuePage {
        try read { state in
            let fitting = state.entries.filter { entry in
                filter.matches(entry, now: state.now) && cursor.map { entry.id > $0 } ?? true
            }
            let page = Array(fitting.prefix(limit))
            return QueuePage(entries: page, next: fitting.count > limit ? page.last?.id : nil)
        }
    }

    package func queueSummary(
        _ filter: QueueFilter, by grouping: QueueSummary.Grouping, limit: Int
    ) async throws(AdminProblem) -> QueueSummary {
        try read { state in
            var builder = QueueSummary.Builder(by: grouping, now: state.now)
            for entry in state.entries where filter.matches(entry, now: state.now) { builder.add(entry) }
            return builder.summary(limit: limit)
        }
    }

    package func queueEntry(_ id: QueueID) async throws(AdminProblem) -> QueueEntry? {
        try read { state in state.entries.first { $0.id == id.description } }
    }

    package func rawMessage(_ id: QueueID, for caller: Caller) async throws(AdminProblem) -> RawMessage? {
        let pieces = try read { state in
            state.deeds.append("raw \(id) by \(caller.recordName)")
            return state.raw[id.description]
        }
        guard let pieces else { return nil }
        return RawMessage(sizeOctets: pieces.reduce(0) { $0 + $1.count }) { (number) throws(AdminProblem) in
            number < pieces.count ? pieces[number] : nil
        }
    }

    package func change(
        _ action: QueueAction, _ request: QueueChangeRequest, by caller: Caller
    ) async throws(AdminProblem) -> QueueChangeAnswer {
        try read { state in
            var filter = request.filter
            filter.all = false
            let fitting = state.entries.filter { filter.matches($0, now: state.now) }
            if !request.dryRun {
                state.deeds.append(
                    "\(action.rawValue) \(fitting.count) by \(caller.recordName): \(request.reason)")
            }
            let isKept = action == .hold || action == .retry
            let unfit = isKept ? fitting.count { $0.state == .held } : 0
            let busy = fitting.count { $0.state == .active }
            return QueueChangeAnswer(
                action: action, dryRun: request.dryRun, matched: fitting.count,
                changed: fitting.count - unfit - busy, inapplicable: unfit,
                ids: fitting.prefix(100).map(\.id))
        }
    }

    package func ledger(_ id: QueueID) async throws(AdminProblem) -> [[UInt8]] {
        try read { $0.ledger[id.description] ?? [] }
    }

    package func checkConfiguration() async throws(AdminProblem) -> ConfigurationReport {
        try read { $0.report }
    }

    package func reloadConfiguration(by caller: Caller) async throws(AdminProblem) -> ConfigurationReport {
        try read { state in
            state.deeds.append("reload by \(caller.recordName)")
            return state.report
        }
    }

    package func drain(
        _ isOn: Bool, reason: String, by caller: Caller
    ) async throws(AdminProblem) -> DrainAnswer {
        try read { state in
            state.deeds.append("\(isOn ? "drain" : "undrain") by \(caller.recordName): \(reason)")
            return DrainAnswer(
                isDraining: isOn, sessions: 3, activeDeliveries: 1, queuedMessages: state.entries.count)
        }
    }

    package func store(
        _ task: StoreTask, _ request: StoreTaskRequest, by caller: Caller
    ) async throws(AdminProblem) -> StoreTaskAnswer {
        try read { state in
            state.deeds.append("\(task.rawValue) \(request.directory ?? "-") by \(caller.recordName)")
            return StoreTaskAnswer(task: task, isSound: true, lines: ["done"])
        }
    }

    package func selftestFacts() async throws(AdminProblem) -> SelftestFacts { try read { $0.facts } }
    package func metrics() async -> String { "chappe_fake 1\n" }
    package func isLive() async -> Bool { true }
    package func unreadiness() async -> String? { state.withLock { $0.unreadiness } }
}
