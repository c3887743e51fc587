/// The node's part in its cluster, as the admin socket sees it.
package protocol ClusterBackend: AnyObject, Sendable {
    func clusterFacts() async throws(AdminProblem) -> ClusterFacts
    func found(_ request: FoundRequest, by caller: Caller) async throws(AdminProblem) -> MemberList
    func openDoor(_ request: DoorRequest, by caller: Caller) async throws(AdminProblem) -> DoorAnswer
    func join(_ request: JoinRequestBody, by caller: Caller) async throws(AdminProblem) -> MemberList
    func members() async throws(AdminProblem) -> MemberList
    func obey(_ request: OrderRequest, by caller: Caller) async throws(AdminProblem) -> OrderAnswer
    func rotateLinkKey(by caller: Caller) async throws(AdminProblem) -> RotationAnswer
    /// `node`: its name, or the beginning of its id.
    func mark(of node: String) async throws(AdminProblem) -> OriginMark

    /// Begins to leave, or goes on with it; false: stays after all.
    func leave(_ isOn: Bool, reason: String, by caller: Caller) async throws(AdminProblem) -> LeaveProgress
    func leaveProgress() async throws(AdminProblem) -> LeaveProgress

    func blocks() async throws(AdminProblem) -> BlockList
    /// nil: all.
    func verdicts(_ fingerprint: String?) async throws(AdminProblem) -> VerdictList
    func reputation(of subject: String) async throws(AdminProblem) -> ReputationReport
    func canStop() async throws(AdminProblem) -> Checkup
    func doctor() async throws(AdminProblem) -> Checkup
}
