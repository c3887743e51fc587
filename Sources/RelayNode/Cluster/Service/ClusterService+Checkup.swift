package import AdminProtocol
import GossipTransport
import MailValues
import Membership

/// What is not as it should be, and the line that mends it.
extension ClusterService {
    private static let eviction = NodeStatus.Problem(
        .critical, "this node was evicted from its cluster: nothing is delivered, and no mail taken",
        advice: "its queue was given up for lost there; join anew with `chappe join`, or stop it")

    package func problems() async -> [NodeStatus.Problem] {
        guard let member else { return isEvicted ? [Self.eviction] : [] }
        var problems: [NodeStatus.Problem] = []
        switch member.condition {
        case .speaking, .left: break
        case .starting where await member.driver.isDeaf:
            problems.append(
                .init(
                    .critical,
                    "reaches other members and hears none of them: nothing is delivered, and no mail taken",
                    advice:
                        "do they reach the address that `chappe members` shows of this node there? Is this a copied machine? Then "
                        + "remove node.key and link.key, and let it join as a node of its own, with what it copied held"
                ))
        case .starting: problems.append(.init(.degraded, "asks the other members what they last saw of it"))
        case .storeIsOld:
            problems.append(
                .init(
                    .critical,
                    "the store is older than what the members saw of this node: nothing is delivered, and no mail taken",
                    advice:
                        "it is a restored copy, and what was delivered since would go twice. Restart the node: then it takes "
                        + "part again, and all that is queued now is held until you have looked at it"))
        case .ended(.evicted):
            problems.append(Self.eviction)
        case .ended(let end):
            problems.append(
                .init(.critical, "not in the cluster any more: \(end)", advice: "restart the node"))
        }
        if member.isCloneSeen {
            problems.append(
                .init(
                    .critical, "another machine runs with a copy of this node's key",
                    advice: "stop it, remove its node.key and link.key, and let it join as a node of its own")
            )
        }
        if let deaf = member.deaf {
            problems.append(
                .init(.critical, "cannot listen at \(deaf)", advice: "which process has the port?"))
        }
        let loads = Dictionary(
            await member.driver.all(MemberLoad.self).map { ($0.origin, $0.value) }, uniquingKeysWith: { $1 })
        for node in member.book.members.sorted() where node != member.me {
            if let problem = await problem(with: node, loads[node], of: member) { problems.append(problem) }
        }
        return problems
    }

    private func problem(
        with node: NodeID, _ load: MemberLoad?, of member: Member
    ) async -> NodeStatus.Problem? {
        let name = name(of: node)
        let state = await member.driver.state(of: node)
        if state == .dead {
            return .init(
                .degraded, "\(name) does not answer",
                advice: "start it; if it is gone for good, `chappe force-leave \(name) --reason …`")
        }
        if state?.isPresent == true, load?.isQuarantined == true {
            return .init(
                .degraded, "\(name) delivers nothing: its store is older than what was seen of it",
                advice: "`chappe status` there says what to do")
        }
        if state == .alive || state == .draining,
            let since = member.linked.missing(node, now: WallClock.now())
        {
            let contact = member.directory.introduction(of: node)?.contact
            let place = contact.map { "\(SocketEndpoint(address: $0.address, port: $0.controlPort))" } ?? "it"
            return .init(
                .degraded, "cannot reach \(name), which others see alive, since \(Moment(since))",
                advice:
                    "what is in the way from here to \(place)? `chappe doctor` there tells of the way back")
        }
        // Its link for mail is made when there is some: until then nobody knows.
        guard member.linked.contains(node), member.withoutBulk.contains(node),
            let port = member.directory.introduction(of: node)?.contact?.bulkPort
        else { return nil }
        return .init(
            .degraded, "\(name) is there, and no mail can be handed to it",
            advice: "does a firewall keep this node from its port \(port)?")
    }

    /// What `chappe doctor` looks at beyond the problems of `status`.
    package func examine() async -> [Checkup.Finding] {
        guard let member else {
            return [
                Checkup.Finding(.ok, "in no cluster", advice: "`chappe init`, or `chappe join` with a token")
            ]
        }
        var findings: [Checkup.Finding] = []
        let rows = await list().members
        // Who has left in order confirms nothing any more, and nothing waits for it.
        let behind = rows.filter { $0.state != .left && ($0.load?.set ?? 0) < member.book.number }
        findings.append(
            behind.isEmpty
                ? .init(.ok, "all members have stored the newest set")
                : .init(
                    .degraded,
                    "not confirmed the newest set: \(behind.map(\.name).joined(separator: ", "))",
                    advice: "start them, or `chappe force-leave`"))
        let configurations = Set(rows.compactMap(\.load?.configuration))
        findings.append(
            configurations.count <= 1
                ? .init(.ok, "all members have the same configuration")
                : .init(
                    .degraded, "members run \(configurations.count) different configurations",
                    advice: "`chappe members` shows which in column CFG"))
        if member.isRotating {
            let waiting = unconfirmed(member.me).map(name).sorted().joined(separator: ", ")
            findings.append(
                .init(
                    .degraded, "the new link key is not confirmed by \(waiting)",
                    advice: "the old key is good until they have it: start them, or `chappe force-leave`"))
        }
        let refusals = await member.driver.refusals
        let strange = refusals.otherName + refusals.stranger + refusals.facts + refusals.malformed
        findings.append(
            strange == 0
                ? .init(.ok, "every frame and fact was its sender's own")
                : .init(
                    .degraded,
                    "\(strange) frames or facts were refused: not their sender's, or not readable",
                    advice: "the events of kind cluster name them"))
        if refusals.otherVersion > 0 {
            findings.append(
                .init(
                    .degraded, "\(refusals.otherVersion) frames of another version were not understood",
                    advice: "do all members run the same release? `chappe members`"))
        }
        if refusals.overflow > 0 {
            findings.append(
                .init(
                    .degraded, "\(refusals.overflow) frames were dropped: a member said more than its share",
                    advice: "which is it? `chappe members`, and the machine's own figures"))
        }
        let statistics = member.driver.transport.statistics
        let strangers = statistics.strangers
        if strangers > 0 {
            findings.append(
                .init(
                    .ok, "\(strangers) connections under keys that nobody admitted were turned away",
                    advice: "a member evicted, or somebody who tries: who reaches the cluster's ports?"))
        }
        if statistics.doorStrangers > 0 {
            findings.append(
                .init(
                    .ok,
                    "\(statistics.doorStrangers) connections to the door did not know this node's key",
                    advice:
                        "a token of another member, or from before a change of link keys, or somebody who looks around"
                ))
        }
        if let door = member.door {
            findings.append(.init(.ok, "the door for new nodes is open until \(Moment(door.until))"))
        }
        return findings
    }

    /// Whether this node could stop without something losing its last place.
    package func examineStop(queued: Int) async -> [Checkup.Finding] {
        var findings: [Checkup.Finding] = []
        let obstacle = await leaveObstacle()
        findings.append(
            queued == 0
                ? .init(.ok, "no message is queued here")
                : .init(
                    .critical, "\(queued) queued messages have no copy elsewhere",
                    advice: obstacle.map { "they wait here, and cannot be given away: \($0)" }
                        ?? "they wait here until the node is back; `chappe leave` gives them away"))
        guard let member else {
            return findings + [.init(.critical, "no other node takes mail", advice: "`chappe join-cmd`")]
        }
        var takers = 0
        for node in member.book.members where node != member.me {
            if await member.driver.state(of: node) == .alive { takers += 1 }
        }
        findings.append(
            takers > 0
                ? .init(.ok, "\(takers) other members are there")
                : .init(.critical, "no other member is there to take mail", advice: "`chappe members`"))
        return findings
    }
}
