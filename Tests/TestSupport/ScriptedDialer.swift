package import MailValues
package import SMTPProtocol
import Synchronization

/// A world of hosts that behave as a test tells them; what they took is kept.
package final class ScriptedDialer: Dialer {
    package struct Delivery: Sendable {
        package var target: DialTarget
        package var transaction: OutboundTransaction
        package var content: [UInt8]
    }

    /// How a host meets a dial.
    package typealias Greeting = @Sendable (DialTarget) async throws(DialError) -> PeerCapabilities
    /// How it answers a transaction; `number` counts those of this connection from 0.
    package typealias Answering =
        @Sendable (OutboundTransaction, _ number: Int, DialTarget) async -> TransactionOutcome

    private struct State {
        var dials: [DialTarget] = []
        var deliveries: [Delivery] = []
        var openCount = 0
        var openMost = 0
        var quitCount = 0
        var waiters:
            [(condition: @Sendable (Int, Int) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }
    private let state = Mutex(State())
    private let greeting: Greeting
    private let answering: Answering

    package init(
        greeting: @escaping Greeting = { _ in .everything },
        answering: @escaping Answering = { transaction, _, _ in .allTaken(transaction) }
    ) {
        self.greeting = greeting
        self.answering = answering
    }

    package var dials: [DialTarget] { state.withLock { $0.dials } }
    package var deliveries: [Delivery] { state.withLock { $0.deliveries } }
    package var openMost: Int { state.withLock { $0.openMost } }
    package var quitCount: Int { state.withLock { $0.quitCount } }

    /// Returns once the condition holds for the numbers of dials and of transactions.
    package func until(_ condition: @escaping @Sendable (_ dials: Int, _ transactions: Int) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isSo = state.withLock { state in
                if condition(state.dials.count, state.deliveries.count) { return true }
                state.waiters.append((condition, continuation))
                return false
            }
            if isSo { continuation.resume() }
        }
    }

    package func dial(_ target: DialTarget) async throws(DialError) -> any ClientConnection {
        change { $0.dials.append(target) }
        let capabilities = try await greeting(target)
        change { state in
            state.openCount += 1
            state.openMost = max(state.openMost, state.openCount)
        }
        return ScriptedConnection(target: target, capabilities: capabilities, dialer: self)
    }

    private func change(_ body: (inout State) -> Void) {
        let woken = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            body(&state)
            let (dials, deliveries) = (state.dials.count, state.deliveries.count)
            let woken = state.waiters.filter { $0.condition(dials, deliveries) }.map(\.continuation)
            state.waiters.removeAll { $0.condition(dials, deliveries) }
            return woken
        }
        for continuation in woken { continuation.resume() }
    }

    fileprivate func transact(
        _ transaction: OutboundTransaction, _ content: [UInt8], number: Int, target: DialTarget
    ) async -> TransactionOutcome {
        let outcome = await answering(transaction, number, target)
        change { $0.deliveries.append(Delivery(target: target, transaction: transaction, content: content)) }
        return outcome
    }

    fileprivate func closed(politely: Bool) {
        change { state in
            state.openCount -= 1
            if politely { state.quitCount += 1 }
        }
    }
}

final class ScriptedConnection: ClientConnection {
    let target: DialTarget
    let capabilities: PeerCapabilities
    let tls: TLSFacts? = nil
    private let dialer: ScriptedDialer
    private let state = Mutex((isUsable: true, count: 0, isClosed: false))

    init(target: DialTarget, capabilities: PeerCapabilities, dialer: ScriptedDialer) {
        self.target = target
        self.capabilities = capabilities
        self.dialer = dialer
    }

    var isUsable: Bool { state.withLock { $0.isUsable } }

    func send(_ transaction: OutboundTransaction, content: any ContentSource) async -> TransactionOutcome {
        var octets: [UInt8] = []
        do {
            while case let pieces = try await content.next(), !pieces.isEmpty {
                for piece in pieces { octets += piece }
            }
        } catch {
            state.withLock { $0.isUsable = false }
            return .allLost(transaction, afterDot: false)
        }
        let number = state.withLock { state in
            state.count += 1
            return state.count - 1
        }
        let outcome = await dialer.transact(transaction, octets, number: number, target: target)
        if !outcome.connectionUsable { state.withLock { $0.isUsable = false } }
        return outcome
    }

    func quit() async { close(politely: true) }
    func abort() { close(politely: false) }

    private func close(politely: Bool) {
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            state.isUsable = false
            return !state.isClosed
        }
        if isFirst { dialer.closed(politely: politely) }
    }
}

extension PeerCapabilities {
    /// A host that offers all there is.
    package static var everything: PeerCapabilities {
        var all = PeerCapabilities()
        all.pipelining = true
        all.eightBitMIME = true
        all.smtpUTF8 = true
        all.chunking = true
        all.dsn = true
        all.enhancedStatusCodes = true
        return all
    }
}

extension TransactionOutcome {
    package static func allTaken(_ transaction: OutboundTransaction) -> TransactionOutcome {
        each(transaction) { _ in .delivered(Reply(250, EnhancedStatus(2, 0, 0), "Ok")) }
    }

    package static func allRefused(
        _ transaction: OutboundTransaction, _ reply: Reply, command: String, connectionUsable: Bool = true
    ) -> TransactionOutcome {
        each(transaction, connectionUsable: connectionUsable) { _ in .refused(reply, command: command) }
    }

    package static func allLost(_ transaction: OutboundTransaction, afterDot: Bool) -> TransactionOutcome {
        each(transaction, connectionUsable: false) { _ in .lost(detail: "reset", afterDot: afterDot) }
    }

    package static func each(
        _ transaction: OutboundTransaction, connectionUsable: Bool = true,
        _ outcome: (OutboundTransaction.Recipient) -> RecipientOutcome
    ) -> TransactionOutcome {
        TransactionOutcome(
            recipients: transaction.recipients.map(outcome), connectionUsable: connectionUsable)
    }
}
