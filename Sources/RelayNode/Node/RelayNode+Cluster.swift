package import AdminProtocol
import Convergence
import Cryptography
import Delivery
import Filtering
import GossipTransport
import Intake
import MailValues
import Membership
import QueueEngine
import QueueStorage
import Reputation
import SMTPTransport
import Synchronization
import Telemetry

extension RelayNode: ClusterBackend {
    /// What the cluster's part may ask of this node, and tell it.
    func clusterSeams() -> ClusterSeams {
        var seams = ClusterSeams()
        seams.mayDeliver = { [dispatcher] in dispatcher.pause(!$0) }
        seams.mayTake = { [weak self] obstacle in self?.mayTake(obstacle) }
        seams.holdAtNextStart = { [store] in
            let reason = "the members saw later starts than this store: it may have been delivered since"
            return store.holdAtNextOpening(by: "restore", reason: reason) ? nil : "the hold was not written"
        }
        seams.end = { [weak self] why in
            NodeLog.say("error: \(why)")
            self?.stop(because: why, exit: .cloned)
        }
        seams.record = { [events] in events.write($0.encoded()) }
        seams.drain = { [weak self] isOn, order in
            Task {
                await self?.drain(isOn, reason: order.reason, order: "order \(order.number) of \(order.by)")
            }
        }
        seams.leave = { [weak self] isOn, order in
            Task {
                try? await self?.leave(isOn, reason: order.reason, by: "order \(order.number) of \(order.by)")
            }
        }
        seams.entered = { [weak self] me, send in await self?.takePart(me, send) }
        seams.standing = { [weak self] node, standing in
            self?.leaving.withLock { $0 }?.member(node, is: standing)
        }
        seams.bulk = { [weak self] frame in
            self?.leaving.withLock { $0 }?.heard(frame.octets, from: frame.peer)
        }
        seams.facts = { [knowledge] in knowledge.apply($0) }
        seams.orders = { [knowledge, dispatcher] orders in
            knowledge.apply(orders: orders)
            return orders.reduce(0) { sum, order in
                sum + (order.fingerprint.map { dispatcher.bearers(of: $0).count } ?? 0)
            }
        }
        seams.speaks = { [knowledge] in knowledge.join(as: $0.node, sayer: $0) }
        seams.dueFacts = { [knowledge] speaker in
            for (subject, fact) in knowledge.dueFacts() { speaker.say(fact, about: subject) }
        }
        seams.load = { [weak self] in self?.load ?? MemberLoad() }
        return seams
    }

    /// Mail that nobody would deliver is not taken, from clients and from members that leave.
    private func mayTake(_ obstacle: String?) {
        intake.bar.set(obstacle)
        leaving.withLock { $0 }?.takesOffers(obstacle == nil)
    }

    /// How this node fares, for the other members.
    private var load: MemberLoad {
        var load = MemberLoad()
        let statistics = store.statistics
        load.queuedMessages = UInt64(clamping: queuedMessages)
        load.queuedOctets = UInt64(clamping: dispatcher.status.octets)
        load.freeOctets = UInt64(clamping: statistics.freeOctets)
        load.acceptedPerMinute = UInt64(clamping: acceptance.rate(of: Int(metrics.messagesAccepted.value)))
        load.wireVersion = UInt64(Frame.version)
        load.storeVersion = UInt64(statistics.format)
        load.release = NodeVersion.text
        let inForce = inForce.withLock { $0 }
        load.configuration = inForce.plan.configuration.sharedDigest
        let phase = leaving.withLock { $0 }?.progress.phase ?? .staying
        load.isLeaving = phase != .staying
        load.isSick = statistics.sickness != nil
        load.isReady = !inForce.isDraining && !inForce.openListeners.isEmpty && intakeObstacle == nil
        return load
    }

    // MARK: Commands

    package func clusterFacts() async throws(AdminProblem) -> ClusterFacts { try await cluster.facts() }

    package func found(
        _ request: FoundRequest, by caller: Caller
    ) async throws(AdminProblem) -> MemberList {
        try await enter(by: caller) { () async throws(AdminProblem) in
            try await cluster.found(request, by: caller)
        }
    }

    package func openDoor(
        _ request: DoorRequest, by caller: Caller
    ) async throws(AdminProblem) -> DoorAnswer {
        try await cluster.openDoor(request, by: caller)
    }

    package func join(
        _ request: JoinRequestBody, by caller: Caller
    ) async throws(AdminProblem) -> MemberList {
        try await enter(by: caller) { () async throws(AdminProblem) in
            try await cluster.join(request, by: caller)
        }
    }

    private func enter(
        by caller: Caller, _ body: () async throws(AdminProblem) -> Void
    ) async throws(AdminProblem) -> MemberList {
        let wasLeaving = leaving.withLock { $0 }?.progress.isUnderWay == true
        let wasGone = await cluster.hasLeft
        try await body()
        // Its doors were closed when it left, or when it was about to.
        if wasGone || wasLeaving {
            try await drain(false, reason: "in a cluster again", by: caller.recordName)
        }
        return await cluster.list()
    }

    package func members() async throws(AdminProblem) -> MemberList { await cluster.list() }

    package func obey(
        _ request: OrderRequest, by caller: Caller
    ) async throws(AdminProblem) -> OrderAnswer {
        var answer = try await cluster.obey(request, by: caller)
        answer.protection = Base64.decode(request.order.utf8).flatMap { OrderFact(octets: $0) }
            .flatMap { protection(from: $0.order) }
        return answer
    }

    /// What this node will not do of an order to block.
    private func protection(from order: Order) -> OrderAnswer.Protection? {
        guard order.subject.kind == .block, !order.isLifted,
            let subject = BlockSubject(octets: order.subject.octets)
        else { return nil }
        switch knowledge.protection(of: subject) {
        case .none: return nil
        case .partly(let networks): return OrderAnswer.Protection(isWhole: false, networks)
        case .wholly(let networks): return OrderAnswer.Protection(isWhole: true, networks)
        }
    }

    package func rotateLinkKey(by caller: Caller) async throws(AdminProblem) -> RotationAnswer {
        try await cluster.rotateLinkKey(by: caller)
    }

    package func mark(of node: String) async throws(AdminProblem) -> OriginMark {
        try await cluster.mark(of: node)
    }

    package func doctor() async throws(AdminProblem) -> Checkup {
        let status = try await status()
        let findings = status.problems.map {
            Checkup.Finding($0.severity, $0.what, advice: $0.advice)
        }
        return Checkup(findings + (await cluster.examine()))
    }

    package func canStop() async throws(AdminProblem) -> Checkup {
        Checkup(await cluster.examineStop(queued: queuedMessages))
    }
}

extension OrderAnswer.Protection {
    fileprivate init(isWhole: Bool, _ networks: [Network]) {
        self.init(isWhole: isWhole, networks: networks.map(\.description).sorted())
    }
}

extension Order {
    /// Which campaign it is about, if it is about one.
    fileprivate var fingerprint: Fingerprint? {
        switch subject.kind {
        case .verdict: return Fingerprint(octets: subject.octets)
        case .revocation:
            guard case .fingerprint(let fingerprint)? = Revocation(subject: subject.octets, payload)?.subject
            else { return nil }
            return fingerprint
        default: return nil
        }
    }
}
