package import NIOCore
package import SMTPProtocol

/// An open session with a next hop, on a socket.
///
/// Its callers may run anywhere. They run cheapest on the connection's own event loop
/// (`EventLoopLane`): then nothing between a reply and the next command crosses a thread.
package final class SMTPClientConnection: ClientConnection {
    package let target: DialTarget
    package let capabilities: PeerCapabilities
    package let tls: TLSFacts?
    package let eventLoop: any EventLoop
    private let handler: NIOLoopBound<ClientHandler>
    private let channel: any Channel
    private let usability: Usability
    private let readAheadOctets: Int

    init(_ session: OpenedSession, target: DialTarget, settings: DialerSettings) {
        self.target = target
        capabilities = session.capabilities
        tls = session.tls
        eventLoop = session.channel.eventLoop
        handler = session.handler
        channel = session.channel
        usability = session.usability
        readAheadOctets = settings.readAheadOctets
    }

    deinit { channel.close(promise: nil) }

    package var isUsable: Bool { usability.isUsable }

    package func send(
        _ transaction: OutboundTransaction, content: any ContentSource
    ) async -> TransactionOutcome {
        guard let first = await read(content) else {
            let lost = TransactionOutcome.RecipientOutcome.lost(
                detail: "our own content could not be read", afterDot: false)
            return TransactionOutcome(
                recipients: Array(repeating: lost, count: transaction.recipients.count),
                connectionUsable: isUsable)
        }
        var event = ClientEvent.begin(transaction, content: first.pieces, isWhole: first.isLast)
        while true {
            switch await exchange(event) {
            case .finished(let outcome): return outcome
            case .needContent:
                if let next = await read(content) {
                    event = .content(next.pieces, isLast: next.isLast)
                } else {
                    event = .contentFailed
                }
            }
        }
    }

    package func quit() async {
        await withCheckedContinuation { continuation in
            onLoop { $0.quit(continuation) }
        }
    }

    package func abort() {
        usability.end()
        // Behind what the loop has in hand; it must not be told as the peer's doing.
        onLoop { $0.abort() }
    }

    /// Pieces up to the read-ahead, and whether they are the last; nil: we cannot read our own message.
    private func read(_ content: any ContentSource) async -> (pieces: [[UInt8]], isLast: Bool)? {
        do {
            var pieces = try await content.next()
            if pieces.isEmpty { return (pieces, true) }
            var count = pieces.reduce(0) { $0 + $1.count }
            while count < readAheadOctets {
                let more = try await content.next()
                if more.isEmpty { return (pieces, true) }
                count += more.reduce(0) { $0 + $1.count }
                pieces.append(contentsOf: more)
            }
            return (pieces, false)
        } catch {
            return nil
        }
    }

    private func exchange(_ event: ClientEvent) async -> ClientStep {
        await withCheckedContinuation { continuation in
            onLoop { $0.exchange(event, continuation) }
        }
    }

    private func onLoop(_ body: @escaping @Sendable (ClientHandler) -> Void) {
        guard !eventLoop.inEventLoop else { return body(handler.value) }
        eventLoop.execute { [handler] in body(handler.value) }
    }
}
