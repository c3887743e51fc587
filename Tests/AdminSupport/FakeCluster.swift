package import AdminProtocol
internal import MailValues
import Synchronization

/// A cluster of which a test says who is in it, and which remembers what it was asked to do.
package final class FakeCluster: ClusterBackend {
    package struct State: Sendable {
        package var facts: ClusterFacts
        package var list: MemberList
        package var door = DoorAnswer(
            host: "192.0.2.1", port: 7948, until: Moment(Timestamp(seconds: 1_800_003_600)))
        package var answer = OrderAnswer(number: 0, told: [], notReached: [], messages: 0)
        package var rotation = RotationAnswer(serial: 2, waiting: [])
        package var mark: OriginMark
        /// The first is said first; the last stays.
        package var leaving: [LeaveProgress] = []
        package var blocks: [BlockRow] = []
        package var verdicts = VerdictList([], revokedOrigins: [])
        package var report = ReputationReport([])
        package var checkup = Checkup([])
        package var failure: AdminProblem?
        /// What changed something, in words.
        package var deeds: [String] = []
        /// Orders in base64, and tokens, as they came.
        package var orders: [String] = []
        package var tokens: [String] = []
    }

    private let state: Mutex<State>

    /// Ids and keys are 64 hexadecimal digits. `cluster` nil: the node is in none.
    package init(cluster: String?, operatorKey: String?, node: String, others: [String] = []) {
        let facts = ClusterFacts(
            cluster: cluster, operatorKey: operatorKey, node: node,
            linkKey: String(repeating: "c5", count: 32),
            name: "relay-1", address: "192.0.2.1", controlPort: 7946, bulkPort: 7947, doorPort: 7948)
        let rows = ([node] + others).enumerated().map { Self.row($0.element, number: $0.offset + 1) }
        let mark = OriginMark(node: others.first ?? node, name: "relay-2", incarnation: 3, counter: 400)
        state = Mutex(
            State(facts: facts, list: MemberList(cluster: cluster, set: 5, members: rows), mark: mark))
    }

    private static func row(_ node: String, number: Int) -> MemberRow {
        MemberRow(
            node: node, name: "relay-\(number)", isSelf: number == 1, state: .alive,
            address: "192.0.2.\(number):7946",
            load: MemberRow.Load(
                version: "0.3.0", configuration: "7f3ac19b00", queuedMessages: 1000 * number,
                queuedOctets: 1 << 20, freeOctets: 5 << 30, acceptedPerMinute: 60, isReady: true, set: 5),
            incarnation: 1)
    }

    package func with<Result: Sendable>(_ body: (inout State) throws -> Result) rethrows -> Result {
        try state.withLock { try body(&$0) }
    }

    package var deeds: [String] { state.withLock { $0.deeds } }

    private func read<Result: Sendable>(_ body: (inout State) -> Result) throws(AdminProblem) -> Result {
        let (failure, result) = state.withLock { ($0.failure, body(&$0)) }
        if let failure { throw failure }
        return result
    }

    package func clusterFacts() async throws(AdminProblem) -> ClusterFacts { try read { $0.facts } }
    package func members() async throws(AdminProblem) -> MemberList { try read { $0.list } }
    package func blocks() async throws(AdminProblem) -> BlockList { try read { BlockList($0.blocks) } }
    package func canStop() async throws(AdminProblem) -> Checkup { try read { $0.checkup } }
    package func doctor() async throws(AdminProblem) -> Checkup { try read { $0.checkup } }

    package func found(_ request: FoundRequest, by caller: Caller) async throws(AdminProblem) -> MemberList {
        try read { state in
            state.deeds.append(
                "init \(request.name ?? "-") \(request.address ?? "-") by \(caller.recordName)")
            state.tokens.append(request.token)
            return state.list
        }
    }

    package func openDoor(_ request: DoorRequest, by caller: Caller) async throws(AdminProblem) -> DoorAnswer
    {
        try read { state in
            state.deeds.append("door \(request.seconds) by \(caller.recordName)")
            return state.door
        }
    }

    package func join(_ request: JoinRequestBody, by caller: Caller) async throws(AdminProblem) -> MemberList
    {
        try read { state in
            state.deeds.append(
                "join \(request.host) \(request.port) \(request.name ?? "-") \(request.address ?? "-") "
                    + "by \(caller.recordName)")
            state.tokens.append(request.token)
            return state.list
        }
    }

    package func obey(_ request: OrderRequest, by caller: Caller) async throws(AdminProblem) -> OrderAnswer {
        try read { state in
            state.deeds.append("order by \(caller.recordName)")
            state.orders.append(request.order)
            return state.answer
        }
    }

    package func rotateLinkKey(by caller: Caller) async throws(AdminProblem) -> RotationAnswer {
        try read { state in
            state.deeds.append("link key by \(caller.recordName)")
            return state.rotation
        }
    }

    package func mark(of node: String) async throws(AdminProblem) -> OriginMark {
        let mark = try read { $0.mark }
        guard mark.name == node || mark.node.hasPrefix(node) else {
            throw AdminProblem(.notFound, "no member is called \(node)")
        }
        return mark
    }

    package func leave(
        _ isOn: Bool, reason: String, by caller: Caller
    ) async throws(AdminProblem) -> LeaveProgress {
        try read { $0.deeds.append("\(isOn ? "leave" : "stay") by \(caller.recordName): \(reason)") }
        return try await leaveProgress()
    }

    package func leaveProgress() async throws(AdminProblem) -> LeaveProgress {
        let next = try read { state in
            state.leaving.count > 1 ? state.leaving.removeFirst() : state.leaving.first
        }
        guard let next else { throw AdminProblem(.refused, "the node is in no cluster") }
        return next
    }

    package func verdicts(_ fingerprint: String?) async throws(AdminProblem) -> VerdictList {
        try read { state in
            var list = state.verdicts
            if let fingerprint { list.verdicts.removeAll { $0.fingerprint != fingerprint } }
            return list
        }
    }

    package func reputation(of subject: String) async throws(AdminProblem) -> ReputationReport {
        try read { state in
            state.deeds.append("reputation of \(subject)")
            return state.report
        }
    }
}
