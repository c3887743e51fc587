package import NIOCore
package import SMTPProtocol

/// Fired up the pipeline once, when the handshake has succeeded.
package struct TLSHandshakeCompleted: Sendable {
    package let facts: TLSFacts
}

/// TLS between the socket and the SMTP handlers: `ByteBuffer` in and out on both sides.
///
/// It may be there from the beginning, or be added at the first position in the middle of a connection; the
/// handshake begins when the channel is active. Success: `handshake` succeeds, and `TLSHandshakeCompleted` is
/// fired before the first decrypted octet. Failure: `handshake` fails with a `TLSError`, `errorCaught` is
/// fired, the alert is sent and the channel closed. How long a handshake may take is the caller's business.
///
/// What is written before the end of the handshake waits for it. One flush becomes one write on the socket.
package final class TLSHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private enum State {
        case new(Role)
        case handshaking(TLSSession)
        case open(TLSSession)
        case closed
    }

    private enum Role {
        case server(TLSServerContext)
        case client(TLSClientContext, serverName: String, mode: DialTarget.TLSMode)
    }

    /// What fits a record: less is gathered before it is encrypted.
    private static let recordOctets = 16_384

    private var state: State
    private var handshake: EventLoopPromise<TLSFacts>?
    private var pending: ByteBuffer?
    private var pendingPromise: EventLoopPromise<Void>?
    private var flushIsWaiting = false

    /// `handshake` is completed by this handler in every case once it has been added to a pipeline.
    package init(server context: TLSServerContext, handshake: EventLoopPromise<TLSFacts>? = nil) {
        state = .new(.server(context))
        self.handshake = handshake
    }

    /// - Parameters:
    ///   - serverName: what SNI says; an address is not said.
    ///   - mode: `none` is not for this handler.
    package init(
        client context: TLSClientContext, serverName: String, mode: DialTarget.TLSMode,
        handshake: EventLoopPromise<TLSFacts>? = nil
    ) {
        precondition(mode != .none, "a connection without TLS needs no handler for it")
        state = .new(.client(context, serverName: serverName, mode: mode))
        self.handshake = handshake
    }

    // MARK: Life

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    package func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        end(with: .connectionLost)
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) { end(with: .connectionLost) }

    private func begin(_ context: ChannelHandlerContext) {
        guard case .new(let role) = state else { return }
        let session =
            switch role {
            case .server(let server): TLSSession(accepting: server)
            case .client(let client, let name, let mode):
                TLSSession(connecting: client, name: name, mode: mode)
            }
        guard let session else {
            fail(context, .handshakeFailed(detail: "no session: \(LibraryErrors.take())"))
            return
        }
        state = .handshaking(session)
        advance(context, session)
    }

    /// Nothing is sent or delivered any more; whoever waits hears why.
    private func end(with error: TLSError) {
        state = .closed
        pending = nil
        pendingPromise?.fail(error)
        pendingPromise = nil
        handshake?.fail(error)
        handshake = nil
    }

    private func fail(_ context: ChannelHandlerContext, _ error: TLSError) {
        end(with: error)
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    // MARK: Inbound

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var octets = unwrapInboundIn(data)
        switch state {
        case .handshaking(let session):
            session.feed(&octets)
            advance(context, session)
        case .open(let session):
            session.feed(&octets)
            deliver(context, session)
        case .new, .closed:
            break
        }
    }

    private func advance(_ context: ChannelHandlerContext, _ session: TLSSession) {
        let step = session.handshake()
        switch step {
        case .needsInput:
            send(context, session)
        case .done:
            state = .open(session)
            send(context, session)
            let facts = session.facts()
            handshake?.succeed(facts)
            handshake = nil
            context.fireUserInboundEventTriggered(TLSHandshakeCompleted(facts: facts))
            if flushIsWaiting { flush(context: context) }
            if session.inboundOctets > 0, case .open = state { deliver(context, session) }
        case .closed:
            send(context, session)
            fail(context, .connectionLost)
        case .failed(let error):
            send(context, session)
            fail(context, error)
        }
    }

    private func deliver(_ context: ChannelHandlerContext, _ session: TLSSession) {
        var plain = context.channel.allocator.buffer(capacity: session.inboundOctets)
        let step = session.decrypt(into: &plain)
        send(context, session)  // an answer to a key update, or an alert
        if plain.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(plain)) }
        guard case .open = state else { return }  // whoever read may have closed
        switch step {
        case .done, .needsInput: break
        case .closed: close(context: context, mode: .all, promise: nil)
        case .failed(let error): fail(context, error)
        }
    }

    // MARK: Outbound

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .closed = state {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        var octets = unwrapOutboundIn(data)
        if let promise {
            if let earlier = pendingPromise { promise.futureResult.cascade(to: earlier) }
            pendingPromise = promise
        }
        guard let waiting = pending?.readableBytes else {
            pending = octets
            return
        }
        if case .open(let session) = state, waiting + octets.readableBytes > Self.recordOctets {
            guard encryptPending(context, session) else { return }
            pending = octets
        } else {
            pending?.writeBuffer(&octets)
        }
    }

    package func flush(context: ChannelHandlerContext) {
        switch state {
        case .new, .handshaking:
            flushIsWaiting = true
        case .open(let session):
            flushIsWaiting = false
            guard encryptPending(context, session) else { return }
            send(context, session)
        case .closed:
            context.flush()
        }
    }

    /// Says close_notify behind what was flushed; the channel closes without waiting for the peer's.
    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if case .open(let session) = state, mode != .input {
            session.sayGoodbye()
            send(context, session)
        }
        if mode != .input { end(with: .connectionLost) }
        context.close(mode: mode, promise: promise)
    }

    private func encryptPending(_ context: ChannelHandlerContext, _ session: TLSSession) -> Bool {
        guard let octets = pending else { return true }
        pending = nil
        if session.encrypt(octets) { return true }
        fail(context, .broken(detail: LibraryErrors.take()))
        return false
    }

    private func send(_ context: ChannelHandlerContext, _ session: TLSSession) {
        // A promise is kept when its octets leave; those that still wait for a flush keep it waiting.
        let promise = pending == nil ? pendingPromise : nil
        if pending == nil { pendingPromise = nil }
        guard let octets = session.takeOutbound() else {
            promise?.succeed()
            return
        }
        context.writeAndFlush(wrapOutboundOut(octets), promise: promise)
    }
}
