import Glibc
import MailValues
import NIOCore
import SMTPProtocol

/// The shell of one server session: octets in, the machine's actions carried out in order, octets out.
///
/// It lives on its channel's event loop. It holds no protocol knowledge; the one decision that is its own is
/// to stop reading while the machine or the receiver cannot take more.
final class ServerHandler: ChannelDuplexHandler, AnswerTaker, @unchecked Sendable {
    // @unchecked: every stored property is touched on `lane`'s loop alone; `AnswerTaker` promises it.
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private static let outputOctetsKept = 1024

    let lane: any Lane
    private let listener: SMTPListenerSettings
    private let registry: SessionRegistry
    private let octetsWait: Bool
    private let looksForEarlyTalk: Bool
    private let clock: @Sendable () -> Timestamp
    private var session: ServerSession
    /// Of `session`, since the actions were last carried out.
    private var outlook = Outlook()
    private var receiver: any MailReceiver
    private var context: ChannelHandlerContext?
    private var actions: [ServerAction] = []
    private var isPerforming = false
    private var output: [UInt8] = []
    private let line = SessionOutput()
    private var receiverIsFull = false
    private var readIsWaiting = false
    private var isClosing = false
    private var hasEnded = false
    private var timer: Scheduled<Void>?
    private var timerTime: Timestamp?
    private var pendingExtendedFacts: (ticket: Ticket, facts: ConnectionFacts)?

    /// `octetsWait`: the peer's first octets are at hand already, and will be read right after.
    init(
        facts: ConnectionFacts, listener: SMTPListenerSettings, lane: any Lane, registry: SessionRegistry,
        octetsWait: Bool, clock: @escaping @Sendable () -> Timestamp
    ) {
        self.lane = lane
        self.listener = listener
        self.registry = registry
        self.octetsWait = octetsWait
        self.clock = clock
        let settings = listener.session(for: facts)
        looksForEarlyTalk = settings.options.earlyTalkers == .refuse && listener.tlsUse != .implicit
        session = ServerSession(settings: settings, facts: facts)
        receiver = listener.receivers.receiver(for: facts, listener: listener.name)
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        registry.add(self)
        if context.channel.isActive { begin() }
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        begin()
    }

    private var hasBegun = false
    private func begin() {
        // Looked at before anything is said: afterwards nobody can tell who spoke first. What has come is read,
        // and then the session begins, or has ended.
        guard !hasBegun, let context else { return }
        line.begin(context, isPlain: listener.tlsUse != .implicit)
        guard !(looksForEarlyTalk && (octetsWait || socketHoldsOctets)) else { return }
        beginSession()
    }

    private func beginSession() {
        hasBegun = true
        tell(.connected)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = Self.unwrapInboundIn(data)
        guard !isClosing else { return }
        buffer.withUnsafeReadableBytes { session.receive($0, now: clock(), into: &actions) }
        perform()
        if !hasBegun { beginSession() }
    }

    private var socketHoldsOctets: Bool {
        let found = try? context?.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { handle in
            var octet: UInt8 = 0
            return recv(handle, &octet, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) > 0
        }
        return found ?? false
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush()
    }

    func read(context: ChannelHandlerContext) {
        if outlook.wantsInput && !receiverIsFull { context.read() } else { readIsWaiting = true }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let established as TLSHandshakeCompleted:
            receiver.tlsEstablished(established.facts)
            tell(.tlsEstablished(established.facts))
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A broken connection or a failed handshake; the session ends, and there is nobody to tell.
        end()
        context.close(promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        line.end()
        self.context = nil
    }

    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        isClosing = true
        timer?.cancel()
        session.handle(.disconnected, now: clock(), into: &actions)
        perform()
        if session.nonsenseCount > 0 { receiver.sawNonsense(session.nonsenseCount) }
        receiver.disconnected()
        registry.remove(self)
    }

    // MARK: Answers

    func answer(_ ticket: Ticket, _ answer: Answer) {
        guard !hasEnded else { return }
        adoptExtendedFacts(ticket, answer)
        tell(.answered(ticket, answer))
    }

    func resumeReading() {
        receiverIsFull = false
        readIfWanted()
    }

    /// The node is stopping. On the loop.
    func drain() {
        guard !hasEnded else { return }
        tell(.drain)
    }

    /// The grace period is over. On the loop.
    func cut() {
        guard !hasEnded else { return }
        tell(.cut)
    }

    private func tell(_ event: ServerEvent) {
        session.handle(event, now: clock(), into: &actions)
        perform()
        if !isPerforming { flush() }
    }

    // MARK: Actions

    /// Carries out all actions, those among them that answers to questions cause at once.
    private func perform() {
        guard !isPerforming else { return }
        isPerforming = true
        var index = 0
        while index < actions.count {
            // Taken out, not copied: `close` counts nothing, and is not carried out.
            var action = ServerAction.close
            swap(&action, &actions[index])
            perform(action)
            index += 1
        }
        actions.removeAll(keepingCapacity: true)
        isPerforming = false
        outlook = Self.outlook(of: &session)
        keepTime()
        readIfWanted()
    }

    private func perform(_ action: consuming ServerAction) {
        switch action {
        case .send(let reply):
            reply.append(to: &output)
        case .sendChallenge(let encoded):
            output.append(contentsOf: "334 ".utf8)
            output.append(contentsOf: encoded)
            output.append(0x0D)
            output.append(0x0A)
        case .ask(let ticket, let question):
            if case .xclient(let facts) = question { pendingExtendedFacts = (ticket, facts) }
            guard let answer = receiver.ask(question, ticket: ticket, asker: self) else { return }
            adoptExtendedFacts(ticket, answer)
            session.handle(.answered(ticket, answer), now: clock(), into: &actions)
        case .beginMessage:
            receiver.beginMessage()
        case .content(let piece):
            if !receiver.content(piece, asker: self) { receiverIsFull = true }
        case .abortTransaction:
            receiver.abortTransaction()
        case .refused(let reply, let what):
            receiver.refused(reply, what)
        case .withdraw(let ticket):
            receiver.withdraw(ticket, asker: self)
        case .startTLS:
            startTLS()
        case .close:
            close()
        }
    }

    /// After XCLIENT the house must judge the client that was named, not the proxy.
    private func adoptExtendedFacts(_ ticket: Ticket, _ answer: Answer) {
        guard let pending = pendingExtendedFacts, pending.ticket == ticket else { return }
        pendingExtendedFacts = nil
        switch answer {
        case .accept, .reply:
            receiver.disconnected()
            receiver = listener.receivers.receiver(for: pending.facts, listener: listener.name)
        case .refuse, .challenge, .authenticated:
            break
        }
    }

    /// What the machine wants of us until something happens.
    private struct Outlook {
        var deadline: Timestamp?
        var wantsInput = true
    }

    /// By reference: a class that asks a struct it holds copies it first, and this one has two dozen counted
    /// fields.
    private static func outlook(of session: inout ServerSession) -> Outlook {
        Outlook(deadline: session.deadline, wantsInput: session.wantsInput)
    }

    private func startTLS() {
        guard let context, let tls = listener.tls else { return close() }
        flush()
        line.end()
        do {
            try context.pipeline.syncOperations.addHandler(TLSHandler(server: tls.current), position: .first)
        } catch {
            close()
        }
    }

    private func flush() {
        guard !output.isEmpty, let context else { return }
        // Taken away first: a write that fails may bring on reads, and answers to them.
        var said: [UInt8] = []
        swap(&said, &output)
        said.withUnsafeBytes { line.write($0, context) }
        guard output.isEmpty, said.capacity <= Self.outputOctetsKept else { return }
        said.removeAll(keepingCapacity: true)
        output = said
    }

    private func close() {
        isClosing = true
        flush()
        context?.close(promise: nil)
    }

    private func readIfWanted() {
        guard readIsWaiting, !isClosing, outlook.wantsInput, !receiverIsFull, let context else { return }
        readIsWaiting = false
        context.read()
    }

    // MARK: Time

    /// One timer a session, set anew only when it fires: deadlines move with every command, and mostly later.
    private func keepTime() {
        guard let deadline = outlook.deadline, !hasEnded, let context else { return }
        if let timerTime, timerTime <= deadline { return }
        timer?.cancel()
        timerTime = deadline
        let wait = max(0, deadline.milliseconds - clock().milliseconds)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(wait)) { self.timerFired() }
    }

    private func timerFired() {
        timerTime = nil
        guard !hasEnded else { return }
        if let deadline = outlook.deadline, deadline <= clock() { tell(.deadlinePassed) } else { keepTime() }
    }
}
