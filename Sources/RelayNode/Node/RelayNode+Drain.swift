package import AdminProtocol
import Delivery
import Intake
import MailValues
import QueueEngine
import SMTPTransport
import Synchronization
import Telemetry

extension RelayNode {
    package func drain(
        _ isOn: Bool, reason: String, by caller: Caller
    ) async throws(AdminProblem) -> DrainAnswer {
        if !isOn, let problem = await undrainObstacle() { throw problem }
        return try await drain(isOn, reason: reason, by: caller.recordName)
    }

    /// Obeys an order, as far as that makes sense here.
    func drain(_ isOn: Bool, reason: String, order who: String) async {
        if !isOn, await undrainObstacle() != nil {
            return record(drain: isOn, reason: reason, by: who, isRefused: true)
        }
        _ = try? await drain(isOn, reason: reason, by: who)
    }

    /// Why this node does not take mail again at a word; nil: it does.
    func undrainObstacle() async -> AdminProblem? {
        let progress = leaving.withLock { $0 }?.progress
        if progress?.isUnderWay == true {
            return AdminProblem(
                .refused, "this node leaves its cluster, and takes no mail",
                advice: "`chappe leave --stay` ends that")
        }
        let hasLeft = await cluster.hasLeft
        if hasLeft || progress?.phase == .left {
            return AdminProblem(
                .refused, "this node has left its cluster, and takes no mail",
                advice: "`chappe join` it anew, or `chappe init` a cluster of its own")
        }
        return intake.bar.why.map {
            AdminProblem(.refused, "no mail is taken: \($0)", advice: "`chappe status` says what to do")
        }
    }

    @discardableResult
    func drain(_ isOn: Bool, reason: String, by who: String) async throws(AdminProblem) -> DrainAnswer {
        let wasOn = inForce.withLock { inForce in
            defer { inForce.isDraining = isOn }
            return inForce.isDraining
        }
        if wasOn != isOn {
            await cluster.declare(draining: isOn)
            record(drain: isOn, reason: reason, by: who)
            if isOn { await beginDrain() } else { try await endDrain() }
        }
        let delivery = dispatcher.status
        return DrainAnswer(
            isDraining: isOn, sessions: server.sessionCount, activeDeliveries: delivery.inFlight,
            queuedMessages: queuedMessages)
    }

    /// The answer does not wait for the last session: who drains looks how far it is.
    private func beginDrain() async {
        await closeListeners(forGood: false)
        let grace = inForce.withLock { $0.plan.configuration.shutdownGrace }
        Task { await server.drain(grace: grace) }
    }

    private func endDrain() async throws(AdminProblem) {
        do { try await reopenListeners() } catch {
            throw AdminProblem(.unavailable, "\(error)", advice: "systemctl restart chappe")
        }
    }

    private func record(drain isOn: Bool, reason: String, by who: String, isRefused: Bool = false) {
        var event = Event(.admin, at: WallClock.now())
        event.add("action", isOn ? "drain" : "undrain")
        event.add("by", who)
        event.add("reason", reason)
        if isRefused { event.add("refused", "yes") }
        events.write(event.encoded())
    }
}
