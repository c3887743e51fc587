package import MailValues

/// One SMTP session as the server sees it (RFC 5321): octets and answers in, replies and questions out.
///
/// The shell feeds `receive` and `handle`, carries out the actions in order, reads while `wantsInput`, and
/// calls `handle(.deadlinePassed)` no earlier than `deadline`. A question stops the machine: what the peer
/// has sent behind it is held until the answer comes.
package struct ServerSession: Sendable {
    enum State: Sendable {
        /// Nothing said yet; on a listener with implicit TLS, the handshake is not over.
        case connecting
        /// The house thinks. What the peer sends is held.
        case asking(Ticket, Asked)
        /// A command line is next.
        case commands
        /// A line of the SASL exchange is next.
        case authenticating
        /// The rest of a line that is too long is passed over.
        case overlongLine(LineKind, endsWithCR: Bool)
        /// Within DATA.
        case content
        /// Within a BDAT chunk that is taken.
        case chunk(remaining: UInt64, isLast: Bool)
        /// Within a BDAT chunk that is counted off and dropped; then the reply.
        case droppedChunk(remaining: UInt64, Reply)
        /// 220 to STARTTLS is on its way.
        case handshaking
        case closed
    }

    /// What the house was asked, and what we need to go on.
    enum Asked: Sendable {
        case connection
        indirect case xclient(ConnectionFacts)
        case hello(isExtended: Bool)
        case authentication
        /// The exchange is over in any case, with this reply.
        case authenticationEnd(Reply)
        case mail(Transaction)
        case recipient
        /// `isOverdue`: the house has been told, and answers when it can.
        case endOfMessage(isOverdue: Bool)
    }

    /// From an accepted MAIL to the answer to its message.
    struct Transaction: Sendable, Equatable {
        enum Phase: UInt8, Sendable {
            case envelope
            /// Some BDAT was taken, and none was the last.
            case chunks
            /// A chunk was refused: only RSET helps (RFC 3030 §2).
            case failed
        }
        var phase = Phase.envelope
        var isNullPath: Bool
        var smtpUTF8: Bool
        /// What SIZE declared, no more than a message may have.
        var expectedOctets: Int
        var recipientCount = 0
        /// More recipients were wanted than may be: the house has been told.
        var isOverfull = false
    }

    enum LineKind: UInt8, Sendable { case command, authCommand, authExchange }

    enum Greeted: UInt8, Sendable { case no, helo, ehlo }

    let settings: SessionSettings
    /// The connection as it is known now: TLS and XCLIENT change it. After either the house should be asked
    /// with these.
    package internal(set) var facts: ConnectionFacts
    /// The account in force, once AUTH has succeeded.
    package internal(set) var account: String?
    var state = State.connecting
    var greeted = Greeted.no
    var transaction: Transaction?
    var content = ContentReader()
    var isDraining = false
    var isGreetingDue = false
    private var lastTicket: Ticket = 0
    /// Octets that came and could not be taken yet; `heldStart` are done with.
    private var held: [UInt8] = []
    private var heldStart = 0
    /// Octets of the line in hand in which no LF is.
    var scannedOctets = 0
    var errorCount = 0
    /// Lines that were no SMTP: what nobody sends who means to bring mail.
    package internal(set) var nonsenseCount = 0
    var junkCount = 0
    var transactionCount = 0
    var authenticationRounds = 0
    private var hasProgressed = false
    private var stateDeadline = Timestamp(milliseconds: .max)
    private var sessionDeadline = Timestamp(milliseconds: .max)
    private var messageDeadline = Timestamp(milliseconds: .max)

    package init(settings: SessionSettings, facts: ConnectionFacts) {
        self.settings = settings
        self.facts = facts
    }

    // MARK: What the shell looks at

    /// False: stop reading until an answer has come. What arrives nevertheless is kept.
    package var wantsInput: Bool {
        switch state {
        case .closed: false
        case .asking, .connecting: held.count - heldStart < settings.limits.pipelinedOctets
        case .commands, .authenticating, .overlongLine, .content, .chunk, .droppedChunk, .handshaking: true
        }
    }

    /// When the shell must say `deadlinePassed`, if nothing happens before.
    package var deadline: Timestamp? {
        switch state {
        case .closed: nil
        case .content, .chunk, .droppedChunk: min(stateDeadline, messageDeadline)
        case .connecting, .asking, .commands, .authenticating, .overlongLine, .handshaking:
            isInTransaction ? stateDeadline : min(stateDeadline, sessionDeadline)
        }
    }

    /// A transaction is open, or its message is being stored: draining waits for its end.
    package var isInTransaction: Bool {
        if let transaction { return transaction.phase != .failed }
        if case .asking(_, .mail) = state { return true }
        return false
    }

    /// Greeted, between two commands, nothing in hand.
    package var isIdle: Bool {
        guard case .commands = state else { return false }
        return !isInTransaction && held.isEmpty
    }

    package var isClosed: Bool { if case .closed = state { true } else { false } }

    /// `startTLS` was asked for: what comes from now on belongs to the handshake.
    package var isHandshaking: Bool { if case .handshaking = state { true } else { false } }

    // MARK: What the shell says

    /// Takes octets from the peer. All are consumed: what must wait is copied.
    package mutating func receive(
        _ octets: UnsafeRawBufferPointer, now: Timestamp, into actions: inout [ServerAction]
    ) {
        switch state {
        case .closed: return
        case .connecting, .asking(_, .connection):
            if isEarlyTalk {
                actions.append(.refused(.talksEarly, .connection))
                return end(.talksEarly, &actions)
            }
        case .handshaking:
            // RFC 3207 §6: what came in clear must not be read as if it had come encrypted.
            return end(nil, &actions)
        case .asking, .commands, .authenticating, .overlongLine, .content, .chunk, .droppedChunk: break
        }
        if held.isEmpty {
            let count = consume(octets, now, &actions)
            if count < octets.count, !isClosed { held.append(contentsOf: octets.part(from: count)) }
        } else {
            if heldStart > 0 {
                held.removeFirst(heldStart)
                heldStart = 0
            }
            held.append(contentsOf: octets)
            resume(now, &actions)
        }
        renewDeadline(now)
    }

    /// Takes what is not octets.
    package mutating func handle(_ event: ServerEvent, now: Timestamp, into actions: inout [ServerAction]) {
        switch event {
        case .connected:
            guard case .connecting = state else { return }
            sessionDeadline = Timestamp(milliseconds: now.milliseconds &+ settings.timeouts.session)
            isGreetingDue = true
            if settings.options.tls != .implicit || facts.tls != nil { greet(&actions) }
        case .tlsEstablished(let tls):
            establish(tls, &actions)
        case .answered(let ticket, let answer):
            guard case .asking(ticket, let asked) = state else { return }
            settle(asked, answer, now, &actions)
            resume(now, &actions)
        case .deadlinePassed:
            // A timer that runs out too early gives nobody more time.
            return passDeadline(now, &actions)
        case .drain:
            isDraining = true
            if isIdle { end(.shuttingDown, &actions) }
        case .cut:
            isDraining = true
            cutShort(&actions)
        case .disconnected:
            dropTransaction(&actions)
            close()
        }
        hasProgressed = true
        renewDeadline(now)
    }

    // MARK: How octets are taken

    /// What was held is taken up again, until the next question.
    private mutating func resume(_ now: Timestamp, _ actions: inout [ServerAction]) {
        guard !held.isEmpty else { return }
        var octets: [UInt8] = []
        swap(&octets, &held)
        let start = heldStart
        heldStart = 0
        let count = octets.withUnsafeBytes { consume($0.part(from: start), now, &actions) }
        guard start + count < octets.count, !isClosed else { return }
        swap(&octets, &held)
        heldStart = start + count
    }

    /// Takes all it can; returns how many octets.
    private mutating func consume(_ octets: Octets, _ now: Timestamp, _ actions: inout [ServerAction]) -> Int
    {
        var index = 0
        while true {
            switch state {
            case .connecting, .asking, .handshaking, .closed:
                return index
            case .commands, .authenticating:
                guard let line = nextLine(octets, from: index, &actions) else { return index }
                hasProgressed = true
                let rest = octets.count - line.next
                takeLine(octets.part(index..<line.end), isLastHeld: rest == 0, now, &actions)
                index = line.next
            case .overlongLine(let kind, let endsWithCR):
                guard index < octets.count else { return index }
                index = skipOverlong(octets, from: index, kind, endsWithCR: endsWithCR, &actions)
            case .content:
                guard index < octets.count else { return index }
                index += takeContent(octets.part(from: index), &actions)
            case .chunk(let remaining, let isLast):
                let count = Int(min(remaining, UInt64(octets.count - index)))
                takeChunk(octets.part(index..<index + count), remaining, isLast: isLast, &actions)
                index += count
                if count < remaining { return index }
            case .droppedChunk(let remaining, let reply):
                let count = Int(min(remaining, UInt64(octets.count - index)))
                index += count
                state = .droppedChunk(remaining: remaining - UInt64(count), reply)
                if count < remaining { return index }
                state = .commands
                refuse(reply, &actions)
            }
        }
    }

    /// The next line without its CRLF, and where the one after it begins.
    private mutating func nextLine(
        _ octets: Octets, from start: Int, _ actions: inout [ServerAction]
    ) -> (end: Int, next: Int)? {
        guard start < octets.count else { return nil }
        if isForeign(octets[start]) {
            end(.notSMTP, &actions)
            return nil
        }
        guard let lineFeed = LineEnds.lineFeed(in: octets, from: start + scannedOctets) else {
            scannedOctets = octets.count - start
            if scannedOctets >= settings.longestLineOctets {
                passOverLine(octets.part(from: start), &actions)
            }
            return nil
        }
        scannedOctets = 0
        // RFC 5321 §2.3.8: only CRLF ends a line. A peer that thinks otherwise would see other commands than
        // we do.
        guard lineFeed > start, octets[lineFeed - 1] == 0x0D else {
            end(.bareLineFeed, &actions)
            return nil
        }
        return (lineFeed - 1, lineFeed + 1)
    }

    /// The line in hand is longer than any may be.
    private mutating func passOverLine(_ line: Octets, _ actions: inout [ServerAction]) {
        scannedOctets = 0
        if case .authenticating = state {
            state = .overlongLine(.authExchange, endsWithCR: false)
        } else if line.hasKeywordPrefix("BDAT") {
            // Its size is not known, so neither is where commands go on.
            end(.badChunkSize, &actions)
        } else {
            state = .overlongLine(line.hasKeywordPrefix("AUTH ") ? .authCommand : .command, endsWithCR: false)
        }
    }

    private mutating func skipOverlong(
        _ octets: Octets, from start: Int, _ kind: LineKind, endsWithCR: Bool, _ actions: inout [ServerAction]
    ) -> Int {
        guard let lineFeed = LineEnds.lineFeed(in: octets, from: start) else {
            state = .overlongLine(kind, endsWithCR: octets[octets.count - 1] == 0x0D)
            return octets.count
        }
        guard lineFeed > start ? octets[lineFeed - 1] == 0x0D : endsWithCR else {
            end(.bareLineFeed, &actions)
            return lineFeed + 1
        }
        state = .commands
        hasProgressed = true
        switch kind {
        case .command: refuse(.lineTooLong, &actions)  // RFC 5321 §4.5.3.1.10
        case .authCommand: refuse(.authenticationLineTooLong, &actions)  // RFC 4954 §4
        case .authExchange: endAuthentication(.authenticationLineTooLong, &actions)
        }
        return lineFeed + 1
    }

    /// A line that begins so comes from something that speaks another language: TLS, a script, line noise.
    private func isForeign(_ octet: UInt8) -> Bool {
        octet < 0x20 && octet != 0x0D && octet != 0x0A || octet >= 0x80
    }

    private var isEarlyTalk: Bool {
        settings.options.earlyTalkers == .refuse && settings.options.tls != .implicit && facts.tls == nil
            && !facts.isHealthCheck
    }

    // MARK: Beginning and end

    func situation(mayXclient: Bool) -> SessionSituation {
        var situation: SessionSituation = []
        if let tls = facts.tls {
            situation.insert(.encrypted)
            if tls.peerFingerprint != nil { situation.insert(.certified) }
            if !tls.exporter.isEmpty { situation.insert(.bindable) }
        }
        if account != nil { situation.insert(.authenticated) }
        if mayXclient { situation.insert(.mayXclient) }
        return situation
    }

    /// Whether the peer itself, not the client it speaks for, is listed.
    var mayXclient: Bool {
        !settings.options.xclientPeers.isEmpty
            && settings.options.xclientPeers.contains(facts.proxy ?? facts.client)
    }

    private mutating func greet(_ actions: inout [ServerAction]) {
        isGreetingDue = false
        if facts.isHealthCheck {
            state = .commands
            actions.append(.send(settings.greeting))
        } else {
            ask(.connection, .connection, &actions)
        }
    }

    private mutating func establish(_ tls: TLSFacts, _ actions: inout [ServerAction]) {
        switch state {
        case .connecting:
            facts.tls = tls
            if isGreetingDue { greet(&actions) }
        case .handshaking:
            facts.tls = tls
            // RFC 3207 §4.2: what was said in clear is forgotten.
            greeted = .no
            account = nil
            state = .commands
        case .asking, .commands, .authenticating, .overlongLine, .content, .chunk, .droppedChunk, .closed:
            return
        }
    }

    mutating func ask(_ asked: Asked, _ question: Question, _ actions: inout [ServerAction]) {
        lastTicket &+= 1
        state = .asking(lastTicket, asked)
        // The end of a message is no command: without this its answer would have what was left of the time for content.
        hasProgressed = true
        actions.append(.ask(lastTicket, question))
    }

    /// Says no. Too many of them end the session.
    mutating func refuse(_ reply: Reply, _ actions: inout [ServerAction]) {
        if reply.code == 421 || reply.code == 521 { return end(reply, &actions) }
        actions.append(.send(reply))
        guard reply.isPermanent else { return }
        if reply.code == 500 { nonsenseCount += 1 }
        errorCount += 1
        if errorCount >= settings.limits.errorCount { end(.tooManyErrors, &actions) }
    }

    /// The last word, and no other after it.
    mutating func end(_ reply: Reply?, _ actions: inout [ServerAction]) {
        dropTransaction(&actions)
        if let reply {
            if reply.code == 521 || reply == .talksEarly { nonsenseCount += 1 }
            actions.append(.send(reply))
        }
        actions.append(.close)
        close()
    }

    private mutating func close() {
        state = .closed
        content = ContentReader()
        held = []
        heldStart = 0
    }

    /// Forgets the transaction, if there is one that the house knows of and has not been handed wholly.
    mutating func dropTransaction(_ actions: inout [ServerAction]) {
        guard let transaction else {
            // MAIL is being asked about: the house must not think that it stands.
            if case .asking(_, .mail) = state { actions.append(.abortTransaction) }
            return
        }
        self.transaction = nil
        content = ContentReader()
        guard transaction.phase != .failed else { return }
        if case .asking(_, .endOfMessage) = state { return }
        actions.append(.abortTransaction)
    }

    // MARK: Time

    mutating func startMessageClock(_ now: Timestamp) {
        messageDeadline = Timestamp(milliseconds: now.milliseconds &+ settings.timeouts.message)
    }

    /// Silence is counted from the last octet of a message, but from the beginning of a command: an octet now
    /// and then must not keep a session for ever.
    private mutating func renewDeadline(_ now: Timestamp) {
        let wait: Int64
        switch state {
        case .closed: return
        case .content, .chunk, .droppedChunk: wait = patience(settings.timeouts.content)
        case .commands, .authenticating, .overlongLine:
            guard hasProgressed else { return }
            wait = patience(settings.timeouts.command)
        case .asking:
            guard hasProgressed else { return }
            wait = settings.timeouts.answer
        case .connecting, .handshaking:
            guard hasProgressed else { return }
            wait = settings.timeouts.handshake
        }
        hasProgressed = false
        stateDeadline = Timestamp(milliseconds: now.milliseconds &+ wait)
    }

    /// Who stays silent must not hold up a node that stops: nothing was promised to him yet.
    private func patience(_ usual: Int64) -> Int64 {
        isDraining ? min(usual, settings.timeouts.drain) : usual
    }

    private mutating func cutShort(_ actions: inout [ServerAction]) {
        switch state {
        case .closed: return
        // In a handshake words would be no TLS; and who knows whether a message is stored says no to none.
        case .connecting, .handshaking, .asking(_, .endOfMessage): end(nil, &actions)
        case .asking, .commands, .authenticating, .overlongLine, .content, .chunk, .droppedChunk:
            end(.shuttingDown, &actions)
        }
    }

    private mutating func passDeadline(_ now: Timestamp, _ actions: inout [ServerAction]) {
        guard let deadline, now >= deadline else { return }
        switch state {
        case .closed: return
        case .handshaking, .connecting: end(nil, &actions)
        case .asking(let ticket, .endOfMessage(isOverdue: false)):
            // The house alone knows whether the message is stored: our no to what it keeps would bring it twice.
            state = .asking(ticket, .endOfMessage(isOverdue: true))
            stateDeadline = Timestamp(milliseconds: now.milliseconds &+ settings.timeouts.answer)
            actions.append(.withdraw(ticket))
        case .asking(_, .endOfMessage(isOverdue: true)): end(nil, &actions)
        case .asking: end(.houseSilent, &actions)
        case .commands, .authenticating, .overlongLine, .content, .chunk, .droppedChunk:
            if isDraining {
                end(.shuttingDown, &actions)
            } else if now >= stateDeadline || now >= messageDeadline {
                end(.timedOut, &actions)
            } else {
                end(.sessionOver, &actions)
            }
        }
    }
}
