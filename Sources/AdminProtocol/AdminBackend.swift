package import MailValues

/// The node, as its admin socket sees it. Calls come from any task, many at a time.
///
/// What changes something is told who asks, and records it. The server has checked the form of a request;
/// whether it is wise is the node's to say (`AdminProblem.Code.refused`).
package protocol AdminBackend: AnyObject, Sendable {
    func version() async -> VersionAnswer
    func status() async throws(AdminProblem) -> NodeStatus

    /// In order of id, after `cursor` (the `next` of the page before).
    func queuePage(_ filter: QueueFilter, limit: Int, cursor: String?) async throws(AdminProblem) -> QueuePage
    func queueSummary(
        _ filter: QueueFilter, by grouping: QueueSummary.Grouping, limit: Int
    ) async throws(AdminProblem)
        -> QueueSummary
    /// nil: not in the queue.
    func queueEntry(_ id: QueueID) async throws(AdminProblem) -> QueueEntry?
    /// The octets of a message; nil: not in the queue. Logged as an event before the first octet is given.
    func rawMessage(_ id: QueueID, for caller: Caller) async throws(AdminProblem) -> RawMessage?
    func change(
        _ action: QueueAction, _ request: QueueChangeRequest, by caller: Caller
    ) async throws(AdminProblem)
        -> QueueChangeAnswer

    /// Lines of the message's ledger, each an event as `Telemetry` encodes it, oldest first. Empty: never
    /// heard of it.
    func ledger(_ id: QueueID) async throws(AdminProblem) -> [[UInt8]]

    func checkConfiguration() async throws(AdminProblem) -> ConfigurationReport
    func reloadConfiguration(by caller: Caller) async throws(AdminProblem) -> ConfigurationReport

    /// `isOn` false takes it back.
    func drain(_ isOn: Bool, reason: String, by caller: Caller) async throws(AdminProblem) -> DrainAnswer
    func store(
        _ task: StoreTask, _ request: StoreTaskRequest, by caller: Caller
    ) async throws(AdminProblem)
        -> StoreTaskAnswer
    func selftestFacts() async throws(AdminProblem) -> SelftestFacts
    /// The metrics page.
    func metrics() async -> String
}

/// The octets of one message, piece by piece.
package struct RawMessage: Sendable {
    package let sizeOctets: Int
    /// nil after the last.
    package let piece: @Sendable (_ number: Int) async throws(AdminProblem) -> [UInt8]?

    package init(
        sizeOctets: Int, piece: @escaping @Sendable (_ number: Int) async throws(AdminProblem) -> [UInt8]?
    ) {
        self.sizeOctets = sizeOctets
        self.piece = piece
    }
}

/// What orchestrators ask of a node.
package protocol HealthSource: AnyObject, Sendable {
    /// False: restart me.
    func isLive() async -> Bool
    /// nil: send me mail. Otherwise why not: starting, draining, no room.
    func unreadiness() async -> String?
    func metrics() async -> String
}
