package import AdminProtocol
import Delivery
import MailValues
import QueueEngine
import SMTPTransport
import Synchronization
import Telemetry

extension RelayNode {
    /// From now on mail may come from other members, and go to them.
    func takePart(_ me: NodeID, _ send: @escaping @Sendable ([UInt8], NodeID) -> Bool) async {
        // Two shells on one store would not see each other's writes.
        await endLeaving()
        let seams = LeavingShell.Seams(
            send: send, stopIntake: { [weak self] in await self?.endIntake() },
            resumeIntake: { [weak self] in
                _ = try? await self?.drain(false, reason: "stays after all", by: "leaving")
            },
            hasLeft: { [cluster] in Task { await cluster.left() } })
        let opened = await withTaskExecutorPreference(DiskExecutor.shared) { () async in
            Result { () throws(StoreError) in
                try LeavingShell(me: me, store: store, dispatcher: dispatcher, seams: seams)
            }
        }
        switch opened {
        case .success(let shell):
            leaving.withLock { $0 = shell }
            let run = Task { await shell.run() }
            leavingRun.withLock { $0 = run }
        case .failure(let error):
            NodeLog.say("error: mail can be handed to nobody: \(error.words); run `chappe store verify`")
        }
    }

    /// Returns once nothing of it is under way.
    func endLeaving() async {
        leaving.withLock { $0 }?.stop()
        await leavingRun.withLock { $0 }?.value
    }

    /// No new session; returns when the last transaction is over.
    private func endIntake() async {
        _ = try? await drain(true, reason: "leaves the cluster", by: "leaving")
        await server.drain(grace: inForce.withLock { $0.plan.configuration.shutdownGrace })
    }

    // MARK: Commands

    package func leave(
        _ isOn: Bool, reason: String, by caller: Caller
    ) async throws(AdminProblem) -> LeaveProgress {
        if isOn, let problem = await cluster.leaveObstacle() { throw problem }
        if isOn, leaving.withLock({ $0 })?.progress.phase == .staying {
            let others = await cluster.list().members.filter { !$0.isSelf }
            if !others.contains(where: { $0.state == .alive }) { throw Self.noTaker(among: others) }
        }
        return try await leave(isOn, reason: reason, by: caller.recordName)
    }

    private static func noTaker(among others: [MemberRow]) -> AdminProblem {
        let drained = others.filter { $0.state == .draining }.map(\.name).sorted()
        guard let first = drained.first else {
            return AdminProblem(
                .refused, "no other member is there to take the queue",
                advice: "`chappe members`; a cluster's last node cannot leave it")
        }
        return AdminProblem(
            .refused, "no other member takes mail: drained: \(drained.joined(separator: ", "))",
            advice: "`chappe undrain --node \(first)`")
    }

    @discardableResult
    func leave(_ isOn: Bool, reason: String, by who: String) async throws(AdminProblem) -> LeaveProgress {
        // Of a node that left before it was started anew there is nothing to be done, only to be said.
        guard let shell = leaving.withLock({ $0 }) else {
            if let problem = await cluster.leaveObstacle() { throw problem }
            return try await leaveProgress()
        }
        if isOn, let problem = await cluster.leaveObstacle() { throw problem }
        var event = Event(.admin, at: WallClock.now())
        event.add("action", isOn ? "leave" : "stay")
        event.add("by", who)
        event.add("reason", reason)
        events.write(event.encoded())
        if isOn { shell.leave() } else { shell.stay() }
        await isTaken(isOn, by: shell)
        return try await leaveProgress()
    }

    /// The shell takes its words one after another: who asks at once is told what became of this one.
    private func isTaken(_ isOn: Bool, by shell: LeavingShell) async {
        let deadline = ContinuousClock.now + Self.patience
        while case let phase = shell.progress.phase, phase != .left, (phase == .staying) == isOn,
            ContinuousClock.now < deadline
        {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    private static let patience: Duration = .seconds(5)

    package func leaveProgress() async throws(AdminProblem) -> LeaveProgress {
        guard let progress = leaving.withLock({ $0 })?.progress else {
            guard await cluster.hasLeft else { throw Self.alone }
            var answer = LeaveProgress(.left)
            (answer.messages, answer.waiting) = (queuedMessages, queuedMessages)
            return answer
        }
        if progress.isUnderWay, let problem = await cluster.leaveObstacle() { throw problem }
        var answer = LeaveProgress(LeaveProgress.Phase(progress.phase))
        // What the queue holds, and not what was read of it so far: it is read anew only once nothing more comes in.
        answer.waiting = queuedMessages
        answer.messages = answer.waiting + progress.handedOver
        answer.handedOver = progress.handedOver
        answer.delivered = progress.delivered
        answer.bounced = progress.bounced
        answer.obstacle = progress.obstacle
        if answer.obstacle == nil, let reason = progress.waitsFor {
            answer.obstacle = await words(for: reason)
        }
        for (node, share) in progress.heirs {
            answer.heirs.append(LeaveProgress.Heir(name: await cluster.name(of: node), messages: share.taken))
        }
        answer.heirs.sort { $0.name < $1.name }
        return answer
    }

    private func words(for obstacle: Leaver.Obstacle) async -> String {
        switch obstacle {
        case .nobodyThere: return "no other member is there"
        case .noRoom: return "no other member has room"
        case .silent(let nodes):
            var names: [String] = []
            for node in nodes { names.append(await cluster.name(of: node)) }
            return
                "\(names.joined(separator: ", ")) took messages, or may have, and is silent: start it, "
                + "or if it is gone for good, `chappe force-leave`"
        }
    }

    /// What `status` says of a leaving; nil where there is none.
    func leavingProblem() async -> NodeStatus.Problem? {
        guard let progress = try? await leaveProgress() else { return nil }
        switch progress.phase {
        case .staying: return nil
        case .left:
            let rest = progress.waiting
            return .init(
                .degraded,
                "has left its cluster, and takes no mail"
                    + (rest == 0
                        ? "" : "; \(rest) messages that came later wait here, and are delivered from here"),
                advice:
                    "stop it; or let it in by the line that `chappe join-cmd` prints on a member; or `chappe init`"
            )
        case .stoppingIntake, .giving, .confirming, .bequeathing, .signing:
            var words = "leaves: \(progress.waiting) of \(progress.messages) messages have no other owner yet"
            if let obstacle = progress.obstacle { words += "; it does not go on: \(obstacle)" }
            return .init(.degraded, words, advice: "`chappe leave` shows how far it is, or `--stay` ends it")
        }
    }

    /// Messages without another owner: those that this node attempts or holds, and those that it has offered to others and that
    /// nobody has taken yet.
    var queuedMessages: Int { dispatcher.status.messages + offeredMessages }

    /// Of those, how many bear the mark of another node.
    var offeredMessages: Int {
        leaving.withLock { $0 }?.progress.offered ?? offeredAtStart.load(ordering: .relaxed)
    }

    private static let alone = AdminProblem(
        .refused, "this node is in no cluster, so there is nobody to leave", advice: "`chappe members`")
}

extension LeaveProgress {
    fileprivate init(_ phase: Phase) {
        self.init(
            phase: phase, messages: 0, handedOver: 0, delivered: 0, bounced: 0, waiting: 0, heirs: [],
            obstacle: nil)
    }
}

extension LeaveProgress.Phase {
    fileprivate init(_ phase: Leaver.Phase) {
        self =
            switch phase {
            case .staying: .staying
            case .stoppingIntake: .stoppingIntake
            case .giving: .giving
            case .confirming: .confirming
            case .bequeathing: .bequeathing
            case .signing: .signing
            case .left: .left
            }
    }
}
