package import AdminProtocol
import Delivery
import MailValues
import SMTPTransport
import Synchronization
import Telemetry

extension RelayNode {
    package func drain(
        _ isOn: Bool, reason: String, by caller: Caller
    ) async throws(AdminProblem) -> DrainAnswer {
        try await drain(isOn, reason: reason, by: caller.recordName)
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
            queuedMessages: delivery.messages)
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

    private func record(drain isOn: Bool, reason: String, by who: String) {
        var event = Event(.admin, at: WallClock.now())
        event.add("action", isOn ? "drain" : "undrain")
        event.add("by", who)
        event.add("reason", reason)
        events.write(event.encoded())
    }
}
