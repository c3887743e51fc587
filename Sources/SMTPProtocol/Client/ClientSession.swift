package import MailValues

/// The client's side of one connection, by SMTP (RFC 5321) or LMTP (RFC 2033): opens it, carries
/// transactions, ends it.
///
/// It opens no socket and reads no clock. Each reply must answer a command that was sent before the reply's
/// octets came: whatever a peer says unasked is never taken for an answer.
package struct ClientSession: Sendable {
    enum State: Sendable {
        case connecting
        case greeting
        /// EHLO or LHLO is sent; `isFallback`: HELO.
        case hello(isFallback: Bool)
        case startTLS
        case handshaking
        case authenticating(Authentication)
        case idle
        /// `transaction` is under way.
        case transacting
        case quitting
        case closed
    }

    let target: DialTarget
    let timeouts: ClientTimeouts
    let offersSCRAM: Bool
    var state = State.connecting
    /// Not a part of `state`: each look at that would copy it.
    private var transaction: ClientTransaction?
    var parser: ReplyParser
    var offer = PeerOffer()
    /// Commands sent whose reply has not come.
    var owed = 0
    private var needsReset = false
    private var mailCount = 0

    /// When the shell must say `deadlinePassed`, unless it has changed until then.
    package internal(set) var deadline: Timestamp?
    package internal(set) var tls: TLSFacts?

    /// `offersSCRAM`: the shell answers `.authenticate`.
    package init(
        target: DialTarget, timeouts: ClientTimeouts = ClientTimeouts(), limits: ReplyLimits = ReplyLimits(),
        offersSCRAM: Bool = false
    ) {
        self.target = target
        self.timeouts = timeouts
        self.offersSCRAM = offersSCRAM
        parser = ReplyParser(limits: limits)
    }

    /// What the peer offers; final from `.ready` on.
    package var capabilities: PeerCapabilities { offer.capabilities }

    /// A transaction may begin.
    package var isIdle: Bool { if case .idle = state { true } else { false } }
    package var isClosed: Bool { if case .closed = state { true } else { false } }

    /// Takes all octets that came.
    package mutating func receive(
        _ octets: UnsafeRawBufferPointer, now: Timestamp, into actions: inout [ClientAction]
    ) {
        var offset = 0
        // Of the commands sent from here on none can be answered among these octets.
        var answerable = owed
        while offset < octets.count {
            if case .closed = state { return }
            guard answerable > 0 || mayBeToldEarly else {
                if case .handshaking = state { return interrupted(&actions) }
                return unsolicited(&actions)
            }
            do throws(ReplyError) {
                guard try parser.consume(octets, from: &offset) else { break }
            } catch {
                return breakOff(detail: error.detail, &actions)
            }
            answerable -= 1
            owed = max(0, owed - 1)
            takeReply(now: now, &actions)
        }
        if case .greeting = state, parser.sawBareLineFeed {
            breakOff(detail: "the peer ends its lines by LF alone", &actions)
        }
    }

    package mutating func handle(_ event: ClientEvent, now: Timestamp, into actions: inout [ClientAction]) {
        switch event {
        case .connected: open(now: now, &actions)
        case .tlsEstablished(let facts): resume(with: facts, now: now, &actions)
        case .tlsFailed(let detail): breakOff(detail: detail, &actions)
        case .authenticationResponse(let octets): respond(octets, now: now, &actions)
        case .begin(let envelope, let content, let isWhole):
            begin(envelope, content: content, isWhole: isWhole, now: now, &actions)
        case .content(let pieces, let isLast): supply(pieces, isLast: isLast, now: now, &actions)
        case .contentFailed:
            // Without its final dot the message is not taken (RFC 5321 §4.1.1.4); there is no other way to
            // stop.
            if case .transacting = state { breakOff(detail: "our own content could not be read", &actions) }
        case .quit: quit(now: now, &actions)
        case .deadlinePassed: timeOut(now: now, &actions)
        case .disconnected(let detail): breakOff(detail: detail, &actions)
        }
    }

    // MARK: Replies

    private mutating func takeReply(now: Timestamp, _ actions: inout [ClientAction]) {
        switch state {
        case .transacting: advance(now: now, &actions) { $0.take($1, owed: &$2, into: &$3) }
        case .greeting: takeGreeting(now: now, &actions)
        case .hello(let isFallback): takeHello(isFallback: isFallback, now: now, &actions)
        case .startTLS: takeStartTLS(now: now, &actions)
        case .authenticating(let exchange): takeAuthentication(exchange, now: now, &actions)
        case .quitting: close(&actions)
        case .connecting, .handshaking, .idle, .closed: unsolicited(&actions)
        }
    }

    /// In the middle of the content a peer may say why it is about to hang up.
    private var mayBeToldEarly: Bool {
        switch transaction?.phase {
        case .content, .chunks: true
        default: false
        }
    }

    /// 421 to an idle client, or words that nobody asked for: in both cases this connection has no more use.
    private mutating func unsolicited(_ actions: inout [ClientAction]) {
        breakOff(detail: "the peer spoke unasked", &actions)
    }

    // MARK: Transactions

    private mutating func begin(
        _ envelope: OutboundTransaction, content: [[UInt8]], isWhole: Bool, now: Timestamp,
        _ actions: inout [ClientAction]
    ) {
        guard case .idle = state else {
            // The peer closed between the caller's look and this.
            let lost = TransactionOutcome.RecipientOutcome.lost(
                detail: "the connection was closed", afterDot: false)
            let outcomes = Array(repeating: lost, count: envelope.recipients.count)
            actions.append(.finished(TransactionOutcome(recipients: outcomes, connectionUsable: false)))
            return
        }
        mailCount += 1
        state = .transacting
        transaction = ClientTransaction(
            envelope, content: content, isWhole: isWhole, peer: offer.capabilities, language: target.language)
        let afterReset = needsReset
        advance(now: now, &actions) { transaction, _, owed, actions in
            transaction.begin(afterReset: afterReset, owed: &owed, into: &actions)
        }
    }

    private mutating func supply(
        _ pieces: [[UInt8]], isLast: Bool, now: Timestamp, _ actions: inout [ClientAction]
    ) {
        guard case .transacting = state else { return }
        advance(now: now, &actions) { transaction, _, owed, actions in
            transaction.supply(pieces, isLast: isLast, owed: &owed, into: &actions)
            return .going
        }
    }

    /// One step of the transaction, and what follows from it.
    private mutating func advance(
        now: Timestamp, _ actions: inout [ClientAction],
        by step: (inout ClientTransaction, ReplyParser, inout Int, inout [ClientAction]) ->
            ClientTransaction.Step
    ) {
        guard let outcome = transaction.advance({ step(&$0, parser, &owed, &actions) }) else {
            preconditionFailure("no transaction to advance")
        }
        switch outcome {
        case .going:
            if let phase = transaction?.phase { deadline = now + phase.timeout(timeouts) }
        case .finished(let isClear):
            guard let transaction = transaction.take() else { return }
            needsReset = !isClear
            let isUsable = mailCount < offer.capabilities.mailMaximum ?? .max
            state = .idle
            deadline = nil
            actions.append(
                .finished(TransactionOutcome(recipients: transaction.outcome, connectionUsable: isUsable)))
            // RFC 9422 §4.1: the peer takes no further MAIL in this session.
            if !isUsable { quit(now: now, &actions) }
        case .dismissed: finishBroken(&actions)
        case .broken(let detail): lose(detail: detail, &actions)
        }
    }

    private mutating func lose(detail: String, _ actions: inout [ClientAction]) {
        transaction?.lose(detail: detail)
        finishBroken(&actions)
    }

    private mutating func finishBroken(_ actions: inout [ClientAction]) {
        guard let transaction = transaction.take() else { return }
        actions.append(
            .finished(TransactionOutcome(recipients: transaction.outcome, connectionUsable: false)))
        close(&actions)
    }

    // MARK: Endings

    private mutating func quit(now: Timestamp, _ actions: inout [ClientAction]) {
        guard case .idle = state else { return breakOff(detail: "given up", &actions) }
        state = .quitting
        owed += 1
        deadline = now + timeouts.quit
        actions.append(.send(Self.quitCommand))
    }

    private mutating func timeOut(now: Timestamp, _ actions: inout [ClientAction]) {
        guard let deadline, deadline <= now else { return }
        breakOff(detail: "no reply to \(awaited) in time", &actions)
    }

    /// The session cannot go on. Whoever waits for something is told.
    mutating func breakOff(detail: String, _ actions: inout [ClientAction]) {
        switch state {
        case .closed: return
        case .transacting: lose(detail: detail, &actions)
        case .connecting: fail(.notConnected(detail: detail), &actions)
        case .handshaking: fail(.tlsFailed(detail: detail), &actions)
        case .greeting, .hello, .startTLS, .authenticating:
            fail(.broken(detail: "\(detail) (at \(awaited))"), &actions)
        case .idle, .quitting: close(&actions)
        }
    }

    mutating func fail(_ error: DialError, _ actions: inout [ClientAction]) {
        actions.append(.failed(error))
        close(&actions)
    }

    mutating func close(_ actions: inout [ClientAction]) {
        state = .closed
        deadline = nil
        owed = 0
        actions.append(.close)
    }

    private var awaited: String {
        switch state {
        case .connecting: "connect"
        case .greeting: "connection"
        case .hello(let isFallback): helloCommand(isFallback: isFallback)
        case .startTLS: "STARTTLS"
        case .handshaking: "TLS handshake"
        case .authenticating: "AUTH"
        case .transacting: transaction?.phase.command ?? ""
        case .quitting: "QUIT"
        case .idle, .closed: "nothing"
        }
    }

    static let quitCommand = Array("QUIT\r\n".utf8)
}

extension ClientTransaction? {
    fileprivate mutating func advance(
        _ step: (inout ClientTransaction) -> ClientTransaction.Step
    ) -> ClientTransaction.Step? {
        guard self != nil else { return nil }
        return step(&self!)
    }
}
