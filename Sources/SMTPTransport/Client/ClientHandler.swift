import MailValues
import NIOCore
import SMTPProtocol
import Synchronization

/// What `SMTPClientConnection.send` waits for.
enum ClientStep: Sendable {
    case needContent
    case finished(TransactionOutcome)
}

/// Whether a connection may be used once more; read by pools from any thread.
final class Usability: Sendable {
    private let flag = Atomic(true)
    var isUsable: Bool { flag.load(ordering: .relaxed) }
    func end() { flag.store(false, ordering: .relaxed) }
}

/// What a dial is answered with.
struct OpenedSession: Sendable {
    let capabilities: PeerCapabilities
    let tls: TLSFacts?
    let handler: NIOLoopBound<ClientHandler>
    let channel: any Channel
    let usability: Usability
}

/// Drives one `ClientSession` from its socket; lives on the event loop of its channel.
///
/// All that one event lets us send goes out in one write, and nobody is told of writes: the peer's replies
/// say it all.
final class ClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A write buffer above this is not kept for the next transaction.
    private static let keptBufferOctets = 16_384

    private var session: ClientSession
    private let target: DialTarget
    private let tlsContext: TLSClientContext?
    private let authentication: ClientAuthentication?
    private var opening: EventLoopPromise<OpenedSession>?
    private let usability = Usability()

    private var context: ChannelHandlerContext?
    private var actions: [ClientAction] = []
    private var output: [UInt8] = []
    private let line = SessionOutput()
    private var step: CheckedContinuation<ClientStep, Never>?
    /// Came while nobody waited: the caller was reading its content.
    private var stepReady: ClientStep?
    private var wantsContent = false
    private var isConnected = false
    private var closing: [CheckedContinuation<Void, Never>] = []
    private var timer: Scheduled<Void>?
    private var timerFires: Timestamp?

    init(
        target: DialTarget, settings: DialerSettings, tlsContext: TLSClientContext?,
        opening: EventLoopPromise<OpenedSession>
    ) {
        session = ClientSession(
            target: target, timeouts: settings.timeouts, limits: settings.replyLimits, offersSCRAM: true)
        authentication = target.credentials.map(ClientAuthentication.init)
        self.target = target
        self.tlsContext = tlsContext
        self.opening = opening
    }

    // MARK: From the caller

    /// Feeds an event and answers with the next step, once.
    func exchange(_ event: ClientEvent, _ continuation: CheckedContinuation<ClientStep, Never>) {
        precondition(step == nil, "one transaction at a time")
        if let ready = stepReady {
            stepReady = nil
            continuation.resume(returning: ready)
            return
        }
        step = continuation
        handle(event)
    }

    func quit(_ continuation: CheckedContinuation<Void, Never>) {
        guard context != nil else { return continuation.resume() }
        closing.append(continuation)
        handle(.quit)
    }

    /// Ends it at once: we are stopping, or have given the connection up.
    func abort() {
        guard let context else { return }
        handle(.disconnected(detail: "cut off by us"))
        context.close(promise: nil)
    }

    // MARK: From the channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelActive(context: ChannelHandlerContext) {
        isConnected = true
        line.begin(context, isPlain: !target.implicitTLS)
        handle(.connected)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let octets = unwrapInboundIn(data)
        octets.withUnsafeReadableBytes { session.receive($0, now: Self.now, into: &actions) }
        perform()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        askForContent()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let completed = event as? TLSHandshakeCompleted { handle(.tlsEstablished(completed.facts)) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSError {
            handle(.tlsFailed(detail: error.detail))
        } else {
            handle(.disconnected(detail: FailureText.of(error)))
        }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if isConnected { handle(.disconnected(detail: "the peer closed the connection")) }
        end()
        context.fireChannelInactive()
    }

    /// Nothing happens here any more.
    private func end() {
        usability.end()
        timer?.cancel()
        timer = nil
        // Where there was no connection, the dialer knows why, and is about to say so.
        if isConnected { opening?.fail(DialError.broken(detail: "the connection was closed")) }
        opening = nil
        for continuation in closing { continuation.resume() }
        closing = []
        line.end()
        context = nil
    }

    // MARK: The machine

    private static var now: Timestamp {
        Timestamp(milliseconds: Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000))
    }

    private func handle(_ event: ClientEvent) {
        session.handle(event, now: Self.now, into: &actions)
        perform()
    }

    /// Carries out what the machine wants. An action may bring on another event: the list in hand is
    /// therefore taken away first.
    private func perform() {
        var batch: [ClientAction] = []
        swap(&batch, &actions)
        for action in batch {
            switch action {
            case .send(let octets): output.append(contentsOf: octets)
            case .startTLS: startTLS()
            case .authenticate(let challenge): authenticate(challenge)
            case .ready: finishOpening()
            case .failed(let error): failOpening(error)
            case .needContent: wantsContent = true
            case .finished(let outcome): finish(outcome)
            case .close: close()
            }
        }
        flush()
        askForContent()
        arm()
        if actions.isEmpty {
            batch.removeAll(keepingCapacity: true)
            actions = batch
        }
    }

    private func flush() {
        guard !output.isEmpty, let context else { return }
        // Taken away first: a write that fails may bring on reads, and commands after them.
        var said: [UInt8] = []
        swap(&said, &output)
        said.withUnsafeBytes { line.write($0, context) }
        guard output.isEmpty, said.capacity <= Self.keptBufferOctets else { return }
        said.removeAll(keepingCapacity: true)
        output = said
    }

    private func startTLS() {
        flush()
        line.end()
        guard let context, let tlsContext else { return handle(.tlsFailed(detail: "TLS is not set up here")) }
        let mode = target.tls == .none ? .require : target.tls
        let handler = TLSHandler(client: tlsContext, serverName: target.hostName, mode: mode)
        do {
            try context.pipeline.syncOperations.addHandler(handler, position: .first)
        } catch {
            handle(.tlsFailed(detail: FailureText.of(error)))
        }
    }

    private func authenticate(_ challenge: [UInt8]?) {
        guard let context, let authentication else { return handle(.authenticationResponse(nil)) }
        authentication.answer(challenge, on: context.eventLoop).assumeIsolated().whenComplete {
            [weak self] result in
            self?.handle(.authenticationResponse((try? result.get()) ?? nil))
        }
    }

    private func finishOpening() {
        guard let context else { return }
        opening?.succeed(
            OpenedSession(
                capabilities: session.capabilities, tls: session.tls,
                handler: NIOLoopBound(self, eventLoop: context.eventLoop), channel: context.channel,
                usability: usability))
        opening = nil
    }

    private func failOpening(_ error: DialError) {
        opening?.fail(error)
        opening = nil
    }

    private func finish(_ outcome: TransactionOutcome) {
        if !outcome.connectionUsable { usability.end() }
        wantsContent = false
        answer(.finished(outcome))
    }

    /// The caller reads its content only when the socket has taken most of what it gave before.
    private func askForContent() {
        guard wantsContent, let context, context.channel.isWritable else { return }
        wantsContent = false
        answer(.needContent)
    }

    private func answer(_ ready: ClientStep) {
        guard let continuation = step else {
            stepReady = ready
            return
        }
        step = nil
        continuation.resume(returning: ready)
    }

    private func close() {
        usability.end()
        flush()
        context?.close(promise: nil)
    }

    /// One timer, left alone while it fires no later than the deadline: it looks again when it fires.
    private func arm() {
        guard let context, let deadline = session.deadline else { return }
        if let timerFires, timerFires <= deadline { return }
        timer?.cancel()
        timerFires = deadline
        let moment = NIODeadline.uptimeNanoseconds(UInt64(max(0, deadline.milliseconds)) * 1_000_000)
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: moment) { [weak self] in
            guard let self else { return }
            timer = nil
            timerFires = nil
            handle(.deadlinePassed)
        }
    }
}
