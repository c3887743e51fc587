import MailValues

/// One transaction as the client sees it, from MAIL (or the RSET before it) to the last reply.
///
/// Replies come in the order of commands and are matched by counting alone (RFC 2920 §3.1); `phase` names the
/// command whose reply is next.
struct ClientTransaction: Sendable {
    enum Phase: Sendable, Equatable {
        case reset
        case mail
        case recipients
        /// DATA is sent, 354 expected.
        case data
        /// Content goes out after 354; no reply is owed.
        case content
        /// BDAT goes out, and more of it follows.
        case chunks
        /// The final dot or the last chunk is sent.
        case ending
        /// 354 came though nobody is left to send to.
        case loneDot
        /// Refused; replies to chunks sent meanwhile are still owed.
        case draining
    }

    /// What became of the transaction with one event.
    enum Step: Sendable, Equatable {
        case going
        /// `isClear`: the next MAIL needs no RSET before it.
        case finished(isClear: Bool)
        /// The peer said 421: it is about to close (RFC 5321 §3.8).
        case dismissed
        case broken(detail: String)
    }

    private enum Standing: UInt8, Sendable { case withheld, asked, accepted, settled }

    /// Content up to this goes out with the envelope in one write, before we know whether it is wanted.
    static let pipelinedContentOctets = 65_536

    private let peer: PeerCapabilities
    private let commands: EnvelopeCommands
    private let isLMTP: Bool
    private let envelope: OutboundTransaction

    private(set) var phase = Phase.mail
    private var standings: [Standing]
    private var outcomes: [TransactionOutcome.RecipientOutcome]
    private var acceptedCount = 0
    /// The recipient whose reply, or whose RCPT without pipelining, is next.
    private var cursor = 0

    /// Pieces that are not sent yet; of a message that goes in chunks, the next chunk.
    private var held: [[UInt8]]
    private var isWhole: Bool
    private var encoder = DataEncoder()
    private var sendsContentWithEnvelope = false
    /// Chunks, other than the last one, whose reply is owed.
    private var chunksOwed = 0
    /// The final dot or the last chunk has been handed to the shell: the peer may have the message.
    private(set) var isEndSent = false

    init(
        _ envelope: OutboundTransaction, content: [[UInt8]], isWhole: Bool, peer: PeerCapabilities,
        language: DialTarget.Language
    ) {
        self.envelope = envelope
        self.peer = peer
        self.isWhole = isWhole
        held = content
        commands = EnvelopeCommands(peer: peer)
        isLMTP = language == .lmtp
        standings = Array(repeating: .asked, count: envelope.recipients.count)
        outcomes = Array(
            repeating: .lost(detail: "not asked", afterDot: false), count: envelope.recipients.count)
    }

    var outcome: [TransactionOutcome.RecipientOutcome] { outcomes }

    // MARK: The envelope

    /// Sends RSET if the one before went wrong, MAIL, and what may follow without waiting.
    mutating func begin(afterReset: Bool, owed: inout Int, into actions: inout [ClientAction]) -> Step {
        var octets: [UInt8] = []
        octets.reserveCapacity(192 + 64 * envelope.recipients.count)
        if afterReset && peer.pipelining { octets.append("RSET\r\n") }
        guard commands.appendMail(envelope, to: &octets) else {
            refuseAll(Self.unsendableSender, "MAIL")
            return .finished(isClear: !afterReset)
        }
        withholdBeyondLimit()
        if afterReset { phase = .reset }
        guard peer.pipelining else {
            owed += 1
            actions.append(.send(afterReset ? Self.resetCommand : octets))
            return .going
        }
        var count = afterReset ? 2 : 1
        let countBefore = count
        for index in standings.indices where standings[index] == .asked {
            if appendRecipient(index, to: &octets) { count += 1 }
        }
        guard count > countBefore else { return .finished(isClear: !afterReset) }
        owed += count
        appendContentCommand(to: &octets, owed: &owed)
        actions.append(.send(octets))
        if sendsContentWithEnvelope { sendHeldPieces(into: &actions) }
        return .going
    }

    /// RFC 9422 §4.2: a peer that states its limit will not take more; who stands beyond it is told to try
    /// again.
    private mutating func withholdBeyondLimit() {
        guard let limit = peer.recipientMaximum, limit < standings.count else { return }
        for index in limit..<standings.count {
            standings[index] = .withheld
            outcomes[index] = .refused(Self.tooManyRecipients, command: "RCPT")
        }
    }

    private mutating func appendRecipient(_ index: Int, to octets: inout [UInt8]) -> Bool {
        let recipient = envelope.recipients[index]
        if commands.appendRecipient(recipient, smtpUTF8: envelope.smtpUTF8, to: &octets) { return true }
        standings[index] = .withheld
        outcomes[index] = .refused(Self.unsendableRecipient, command: "RCPT")
        return false
    }

    /// What closes a pipelined group: DATA, or the whole message in one chunk, or nothing yet (RFC 2920 §3.1,
    /// RFC 3030 §4.2).
    private mutating func appendContentCommand(to octets: inout [UInt8], owed: inout Int) {
        guard peer.chunking else {
            octets.append("DATA\r\n")
            owed += 1
            return
        }
        // LMTP owes a reply for each accepted recipient, whose number must be known first (RFC 2033 §4.2).
        guard isWhole, !isLMTP, heldOctets <= Self.pipelinedContentOctets else { return }
        appendChunkCommand(isLast: true, to: &octets)
        owed += 1
        sendsContentWithEnvelope = true
        isEndSent = true
    }

    // MARK: Replies

    mutating func take(_ parser: ReplyParser, owed: inout Int, into actions: inout [ClientAction]) -> Step {
        let code = parser.code
        if code == 421 { return dismiss(parser.reply) }
        switch phase {
        case .reset:
            guard code / 100 == 2 else { return .broken(detail: "RSET was refused: \(parser.reply)") }
            phase = .mail
            if !peer.pipelining { sendMail(owed: &owed, into: &actions) }
            return .going
        case .mail: return takeMail(parser, owed: &owed, into: &actions)
        case .recipients: return takeRecipient(parser, owed: &owed, into: &actions)
        case .data: return takeData(parser, owed: &owed, into: &actions)
        case .content: return takeEarly(parser)
        case .chunks:
            return chunksOwed > 0 ? takeChunk(parser, owed: &owed, into: &actions) : takeEarly(parser)
        case .ending:
            return chunksOwed > 0
                ? takeChunk(parser, owed: &owed, into: &actions) : takeEnd(parser, owed: owed)
        case .loneDot: return .finished(isClear: false)
        case .draining: return owed == 0 ? .finished(isClear: false) : .going
        }
    }

    private mutating func sendMail(owed: inout Int, into actions: inout [ClientAction]) {
        var octets: [UInt8] = []
        _ = commands.appendMail(envelope, to: &octets)
        owed += 1
        actions.append(.send(octets))
    }

    private mutating func takeMail(
        _ parser: ReplyParser, owed: inout Int, into actions: inout [ClientAction]
    ) -> Step {
        switch parser.code / 100 {
        case 2: break
        case 4, 5:
            refuseAll(parser.reply, "MAIL")
            if !peer.pipelining { return .finished(isClear: false) }
        default: return unexpected(parser, "MAIL")
        }
        phase = .recipients
        moveCursor()
        return peer.pipelining ? .going : sendNextRecipient(owed: &owed, into: &actions)
    }

    /// Without pipelining: the next RCPT, or what follows the last one.
    private mutating func sendNextRecipient(owed: inout Int, into actions: inout [ClientAction]) -> Step {
        var octets: [UInt8] = []
        while cursor < standings.count {
            if appendRecipient(cursor, to: &octets) {
                owed += 1
                actions.append(.send(octets))
                return .going
            }
            cursor += 1
            moveCursor()
        }
        return endEnvelope(owed: &owed, into: &actions)
    }

    private mutating func takeRecipient(
        _ parser: ReplyParser, owed: inout Int, into actions: inout [ClientAction]
    ) -> Step {
        precondition(cursor < standings.count, "a reply was owed to a recipient")
        if standings[cursor] == .asked {
            switch parser.code / 100 {
            case 2:
                standings[cursor] = .accepted
                acceptedCount += 1
            case 4, 5: settle(cursor, .refused(parser.reply, command: "RCPT"))
            default: return unexpected(parser, "RCPT")
            }
        }
        cursor += 1
        moveCursor()
        if !peer.pipelining { return sendNextRecipient(owed: &owed, into: &actions) }
        return cursor < standings.count ? .going : endEnvelope(owed: &owed, into: &actions)
    }

    private mutating func moveCursor() {
        while cursor < standings.count && standings[cursor] == .withheld { cursor += 1 }
    }

    /// All recipients are answered.
    private mutating func endEnvelope(owed: inout Int, into actions: inout [ClientAction]) -> Step {
        if sendsContentWithEnvelope {
            phase = .ending
        } else if peer.pipelining && !peer.chunking {
            phase = .data
        } else if acceptedCount == 0 {
            return .finished(isClear: false)
        } else if peer.chunking {
            phase = .chunks
            sendChunk(owed: &owed, into: &actions)
        } else {
            phase = .data
            owed += 1
            actions.append(.send(Self.dataCommand))
        }
        return .going
    }

    private mutating func takeData(
        _ parser: ReplyParser, owed: inout Int, into actions: inout [ClientAction]
    ) -> Step {
        switch parser.code / 100 {
        case 3:
            if acceptedCount > 0 {
                phase = .content
                sendContent(owed: &owed, into: &actions)
                return .going
            }
            // RFC 2920 §3.1. LMTP would owe no reply to the dot, and so never be in step again (RFC 2033
            // §4.2).
            if isLMTP { return .broken(detail: "354 without a recipient") }
            phase = .loneDot
            owed += 1
            actions.append(.send(Self.dotLine))
            return .going
        case 4, 5:
            refuseAll(parser.reply, "DATA")
            return .finished(isClear: false)
        default: return unexpected(parser, "DATA")
        }
    }

    /// A reply before the final dot: some peers say why before they hang up. Nothing has been taken.
    private mutating func takeEarly(_ parser: ReplyParser) -> Step {
        guard parser.code >= 400 else { return unexpected(parser, "content") }
        refuseAll(parser.reply, "content")
        return .broken(detail: "refused in the middle of the content")
    }

    private mutating func takeChunk(
        _ parser: ReplyParser, owed: inout Int, into actions: inout [ClientAction]
    ) -> Step {
        // The last chunk's own reply comes to `takeEnd`.
        chunksOwed -= 1
        switch parser.code / 100 {
        case 2:
            if phase == .chunks && !peer.pipelining { sendChunk(owed: &owed, into: &actions) }
            return .going
        case 4, 5:
            // RFC 3030 §2: the transaction has failed, whatever the other chunks are told.
            refuseAll(parser.reply, "BDAT")
            phase = .draining
            // How many replies LMTP owes to the last chunk of a failed transaction, no standard says.
            if isLMTP && owed > 0 { return .broken(detail: "a chunk was refused") }
            return owed == 0 ? .finished(isClear: false) : .going
        default: return unexpected(parser, "BDAT")
        }
    }

    private mutating func takeEnd(_ parser: ReplyParser, owed: Int) -> Step {
        let isPositive = parser.code / 100 == 2
        guard isPositive || parser.code >= 400 else { return unexpected(parser, "end of data") }
        guard acceptedCount > 0 else { return .finished(isClear: false) }
        let reply = parser.reply
        let outcome: TransactionOutcome.RecipientOutcome =
            isPositive ? .delivered(reply) : .refused(reply, command: "end of data")
        guard isLMTP else {
            for index in standings.indices where standings[index] == .accepted { settle(index, outcome) }
            return .finished(isClear: isPositive)
        }
        // RFC 2033 §4.2: one reply for each accepted recipient, in order.
        if let index = standings.firstIndex(of: .accepted) { settle(index, outcome) }
        return owed == 0 ? .finished(isClear: !peer.chunking) : .going
    }

    // MARK: The content

    /// More of what the shell was asked for; `isLast`: nothing follows.
    mutating func supply(
        _ pieces: [[UInt8]], isLast: Bool, owed: inout Int, into actions: inout [ClientAction]
    ) {
        switch phase {
        case .content:
            held = pieces
            isWhole = isLast
            sendContent(owed: &owed, into: &actions)
        case .chunks:
            isWhole = isLast
            if pieces.contains(where: { !$0.isEmpty }) {
                if heldOctets > 0 { sendHeldChunk(isLast: false, owed: &owed, into: &actions) }
                held = pieces
            }
            if peer.pipelining || chunksOwed == 0 { sendChunk(owed: &owed, into: &actions) }
        case .reset, .mail, .recipients, .data, .ending, .loneDot, .draining:
            break  // Refused meanwhile.
        }
    }

    private mutating func sendContent(owed: inout Int, into actions: inout [ClientAction]) {
        for piece in held where !piece.isEmpty { actions.append(.send(encoder.encode(piece))) }
        held = []
        guard isWhole else {
            actions.append(.needContent)
            return
        }
        actions.append(.send(encoder.ending()))
        isEndSent = true
        owed += isLMTP ? acceptedCount : 1
        phase = .ending
    }

    /// The next step of a message in chunks. Which chunk is the last one is known when nothing follows it.
    private mutating func sendChunk(owed: inout Int, into actions: inout [ClientAction]) {
        if isWhole {
            sendHeldChunk(isLast: true, owed: &owed, into: &actions)
        } else {
            actions.append(.needContent)
        }
    }

    private mutating func sendHeldChunk(isLast: Bool, owed: inout Int, into actions: inout [ClientAction]) {
        var octets: [UInt8] = []
        appendChunkCommand(isLast: isLast, to: &octets)
        actions.append(.send(octets))
        sendHeldPieces(into: &actions)
        if isLast {
            isEndSent = true
            owed += isLMTP ? acceptedCount : 1
            phase = .ending
        } else {
            owed += 1
            chunksOwed += 1
        }
    }

    private func appendChunkCommand(isLast: Bool, to octets: inout [UInt8]) {
        octets.append("BDAT ")
        octets.appendDecimal(heldOctets)
        octets.append(isLast ? " LAST\r\n" : "\r\n")
    }

    private mutating func sendHeldPieces(into actions: inout [ClientAction]) {
        for piece in held where !piece.isEmpty { actions.append(.send(piece)) }
        held = []
    }

    private var heldOctets: Int { held.reduce(0) { $0 + $1.count } }

    // MARK: Outcomes

    /// Nothing more will be heard: whoever has no answer yet is lost.
    mutating func lose(detail: String) {
        for index in standings.indices where standings[index] == .asked || standings[index] == .accepted {
            settle(index, .lost(detail: detail, afterDot: isEndSent))
        }
    }

    private mutating func settle(_ index: Int, _ outcome: TransactionOutcome.RecipientOutcome) {
        standings[index] = .settled
        outcomes[index] = outcome
    }

    private mutating func refuseAll(_ reply: Reply, _ command: String) {
        for index in standings.indices where standings[index] == .asked || standings[index] == .accepted {
            settle(index, .refused(reply, command: command))
        }
        acceptedCount = 0
    }

    private mutating func dismiss(_ reply: Reply) -> Step {
        // Of several LMTP replies this one concerns one recipient; what became of the others is not known.
        if isLMTP && phase == .ending && chunksOwed == 0 {
            if let index = standings.firstIndex(of: .accepted) {
                settle(index, .refused(reply, command: "end of data"))
            }
            lose(detail: "the peer said 421")
        } else {
            refuseAll(reply, phase.command)
        }
        return .dismissed
    }

    private func unexpected(_ parser: ReplyParser, _ command: String) -> Step {
        .broken(detail: "unexpected reply to \(command): \(parser.reply)")
    }

    private static let resetCommand = Array("RSET\r\n".utf8)
    private static let dataCommand = Array("DATA\r\n".utf8)
    private static let dotLine = Array(".\r\n".utf8)
    private static let unsendableSender = Reply(553, EnhancedStatus(5, 1, 7), "Sender address cannot be sent")
    private static let unsendableRecipient = Reply(
        553, EnhancedStatus(5, 1, 3), "Recipient address cannot be sent")
    private static let tooManyRecipients = Reply(
        452, EnhancedStatus(4, 5, 3), "More recipients than the host takes at once")
}

extension ClientTransaction.Phase {
    /// What the next reply answers, as logs and outcomes name it.
    var command: String {
        switch self {
        case .reset: "RSET"
        case .mail: "MAIL"
        case .recipients: "RCPT"
        case .data: "DATA"
        case .content: "content"
        case .chunks, .draining: "BDAT"
        case .ending, .loneDot: "end of data"
        }
    }

    func timeout(_ timeouts: ClientTimeouts) -> Duration {
        switch self {
        case .reset, .mail, .recipients: timeouts.command
        case .data: timeouts.dataStart
        case .content: timeouts.dataBlock
        case .chunks, .ending, .loneDot, .draining: timeouts.dataEnd
        }
    }
}
