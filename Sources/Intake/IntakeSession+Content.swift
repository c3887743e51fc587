import MailValues
import MessageFormat
import QueueEngine
import Reputation
import RoutingPolicy
import SMTPProtocol
import Telemetry

extension IntakeSession {
    /// Chunks of one session that may wait for the store at a time: one being written, one being filled
    /// behind it.
    private static let chunksInFlightMaximum = 2

    func beginMessage() {
        let now = flow.clock()
        let message = MessageUnderway(id: flow.ids.next(at: now), at: now)
        if asksForVerdicts { message.fingerprints = FingerprintReader() }
        transaction?.message = message
    }

    func content(_ piece: [UInt8], asker: any AnswerTaker) -> Bool {
        guard let message = transaction?.message, message.refusal == nil else { return true }
        message.pieceOctets += piece.count
        message.budgeted += piece.count
        message.pieces.append(piece)
        message.fingerprints?.take(piece)
        let hasRoom = flow.budget.add(piece.count)
        // The first chunk waits until it is full even when memory is short: it must hold the whole header
        // section.
        if message.pieceOctets >= policy.chunkOctets || (!hasRoom && message.chunksBegun > 0) {
            writeChunk(of: message, asker)
        }
        guard message.refusal == nil else { return true }
        if message.chunksInFlight >= Self.chunksInFlightMaximum { return false }
        guard !hasRoom else { return true }
        flow.budget.waitForRoom(on: asker.lane) { [weak asker] in asker?.resumeReading() }
        return false
    }

    func abortTransaction() {
        guard let message = transaction?.message else {
            transaction = nil
            return
        }
        transaction = nil
        drop(message)
    }

    /// Gives back what a message holds, here and in the store.
    private func drop(_ message: MessageUnderway) {
        message.isAbandoned = true
        message.finish = nil
        message.pieces = []
        giveBack(message)
        if message.chunksBegun > 0 && message.chunksInFlight == 0 {
            flow.store.dropChunks(message.id, count: message.chunksBegun)
        }
    }

    private func giveBack(_ message: MessageUnderway) {
        flow.budget.remove(message.budgeted)
        message.budgeted = 0
    }

    private func reject(_ message: MessageUnderway, _ reply: Reply) {
        message.refusal = reply
        message.fingerprints = nil
        message.pieces = []
        message.pieceOctets = 0
        giveBack(message)
    }

    // MARK: Chunks

    private func writeChunk(of message: MessageUnderway, _ asker: any AnswerTaker) {
        if message.chunksBegun == 0 {
            guard openContent(of: message, isWhole: false) else { return }
            message.digest = MessageUnderway.Digest()
        }
        let pieces = message.pieces
        let octets = pieces.reduce(0) { $0 + $1.count }
        let held = message.budgeted
        message.pieces = []
        message.pieceOctets = 0
        message.budgeted = 0
        message.sizeOctets += octets
        message.digest?.update(pieces)
        let number = message.chunksBegun
        message.chunksBegun += 1
        message.chunksInFlight += 1
        flow.store.writeChunk(message.id, number: number, octets: pieces, lane: asker.lane) { [self] result in
            flow.budget.remove(held)
            chunkWritten(message, result, asker)
        }
    }

    private func chunkWritten(
        _ message: MessageUnderway, _ result: Result<Void, StoreError>, _ asker: any AnswerTaker
    ) {
        message.chunksInFlight -= 1
        if message.isAbandoned {
            if message.chunksInFlight == 0 { flow.store.dropChunks(message.id, count: message.chunksBegun) }
            return
        }
        if case .failure(let error) = result, message.refusal == nil { reject(message, error.reply) }
        if message.chunksInFlight == 0, let finish = message.finish {
            message.finish = nil
            finish()
        } else {
            asker.resumeReading()
        }
    }

    // MARK: Header section

    /// Reads the header section, which lies in `pieces`, puts ours on top and takes out what must not pass.
    /// False: refused.
    private func openContent(of message: MessageUnderway, isWhole: Bool) -> Bool {
        guard let transaction else { return false }
        let edit = HeaderEdit(message.pieces, rules: policy.headerRules)
        if let reply = contentRefusal(edit, transaction, isWhole: isWhole) {
            reject(message, reply)
            return false
        }
        var top: [UInt8] = []
        TraceHeader(
            hello: helloName, clientName: clientName, client: facts.client, host: policy.hostname.name,
            transport: transportName(transaction), tls: facts.tls.map { ($0.version, $0.cipher) },
            id: message.id,
            recipient: transaction.recipients.count == 1 ? transaction.recipients[0].mailbox : nil,
            at: message.startedAt
        ).append(to: &top)
        if kind != .mx {
            // RFC 6409 §8.2, §8.3: only where we are the first to touch a message do we complete it.
            if !edit.hasDate { SubmissionFields.appendDate(message.startedAt, to: &top) }
            if !edit.hasMessageID {
                SubmissionFields.appendMessageID(message.id, host: policy.hostname, to: &top)
            }
        }
        message.pieces = edit.content(prepending: top)
        return true
    }

    private func transportName(_ transaction: Transaction) -> TransportName {
        TransportName(
            isExtended: isExtended, isTLS: facts.tls != nil, isAuthenticated: account != nil,
            isUTF8: transaction.mail.smtpUTF8)
    }

    private func contentRefusal(_ edit: HeaderEdit, _ transaction: Transaction, isWhole: Bool) -> Reply? {
        if edit.isTooLong || (!isWhole && edit.scan.ending == .endOfOctets) {
            return Reply(552, EnhancedStatus(5, 3, 4), "Header section too long")
        }
        if edit.receivedCount >= policy.hopLimit {
            return Reply(554, EnhancedStatus(5, 4, 6), "Too many hops: this message goes in circles")
        }
        if let account = transaction.standing.account, let reply = authorRefusal(edit, account) {
            return reply
        }
        guard let provisional = transaction.provisional else { return nil }
        return policy.relay.contentDecision(provisional, authorDomains: edit.fromDomains() ?? []) { name in
            edit.values(of: name).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// RFC 6409 §6.3: what an account may say in MAIL is known before; what it calls itself in From, only now.
    private func authorRefusal(_ edit: HeaderEdit, _ account: String) -> Reply? {
        let rule = terms?.authors ?? .own
        guard rule != .any else { return nil }
        let authors = edit.fromAddresses()?.map(\.mailbox)
        let named = NamedAuthors(
            // One that cannot be read makes the whole field unreadable.
            authors: edit.fromCount == 0
                ? [] : authors.flatMap { $0.contains(nil) ? nil : $0.compactMap { $0 } },
            senders: edit.senderAddresses().compactMap(\.mailbox))
        return policy.relay.authorDecision(account: account, rule, named)
    }

    // MARK: End

    func endOfMessage(_ messageFacts: MessageFacts, _ ticket: Ticket, _ asker: any AnswerTaker) -> Answer? {
        guard let message = transaction?.message else {
            return .refuse(Reply(451, EnhancedStatus(4, 3, 0), "Lost the transaction, try again"))
        }
        if message.refusal == nil {
            if message.chunksBegun == 0 {
                _ = openContent(of: message, isWhole: true)
            } else if !message.pieces.isEmpty {
                writeChunk(of: message, asker)
            }
        }
        if message.chunksInFlight > 0 {
            message.finish = { [self] in
                if let answer = conclude(message, messageFacts, ticket, asker) {
                    asker.answer(ticket, answer)
                }
            }
            return nil
        }
        return conclude(message, messageFacts, ticket, asker)
    }

    /// Everything is in: refuse, or write the envelope and answer when it is durable.
    private func conclude(
        _ message: MessageUnderway, _ messageFacts: MessageFacts, _ ticket: Ticket, _ asker: any AnswerTaker
    ) -> Answer? {
        guard let transaction else { return nil }
        let judgement = judge(message)
        if let refusal = message.refusal ?? judgement.refusal {
            count(refused: refusal)
            self.transaction = nil
            drop(message)
            record(refusal: refusal, sender: transaction.mail.reversePath, to: transaction.recipients)
            return refuse(refusal, stage: .content)
        }
        let envelope = envelope(of: transaction, message, messageFacts, judgement)
        let line = reception(envelope, transaction)
        let content = message.pieces
        let held = message.budgeted
        message.budgeted = 0
        self.transaction = nil
        committing = message.id
        flow.store.commit(
            [
                .accept(NewMessage(envelope: envelope, content: content)),
                .ledger(LedgerLine(id: envelope.id, at: envelope.acceptedAt, line: line)),
            ], lane: asker.lane
        ) { [self] result in
            flow.budget.remove(held)
            committing = nil
            asker.answer(ticket, stored(envelope, content, line, result, asker.lane))
        }
        return nil
    }

    func withdraw(_ ticket: Ticket, asker: any AnswerTaker) {
        if let committing { return flow.store.withdraw(committing) }
        guard transaction?.message != nil else { return }
        // Chunks are still on their way, and no envelope: it is nobody's message yet.
        abortTransaction()
        asker.answer(
            ticket, refuse(StoreError.sick(detail: "the store did not take it in time").reply, stage: .store))
    }

    private func envelope(
        of transaction: Transaction, _ message: MessageUnderway, _ messageFacts: MessageFacts,
        _ judgement: Judgement
    ) -> Envelope {
        let mail = transaction.mail
        var size = message.sizeOctets
        if message.chunksBegun == 0 { for piece in message.pieces { size += piece.count } }
        var envelope = Envelope(
            id: message.id, acceptedAt: message.startedAt, reversePath: mail.reversePath,
            recipients: transaction.recipients, sizeOctets: size,
            origin: Envelope.Origin(listener: listener, client: facts.client, account: account))
        envelope.chunkCount = message.chunksBegun
        if let digest = message.digest { envelope.digest = digest.finish() }
        envelope.body = mail.body
        envelope.smtpUTF8 = mail.smtpUTF8
        envelope.hasEightBit = messageFacts.hasEightBit
        envelope.repairedLineEnds = messageFacts.repairedLineEnds
        envelope.dsnReturn = mail.dsnReturn
        envelope.dsnEnvelopeID = mail.dsnEnvelopeID
        envelope.fingerprints = judgement.fingerprints
        envelope.hold = judgement.hold
        if terms?.holdsMessages == true {
            envelope.hold = Envelope.Hold(
                by: "listener:\(listener)", reason: "the listener holds what it takes",
                since: message.startedAt)
        }
        return envelope
    }

    /// The event of acceptance, encoded once for the ledger and for the event file.
    private func reception(_ envelope: Envelope, _ transaction: Transaction) -> [UInt8] {
        var event = Event(.reception, at: envelope.acceptedAt, message: envelope.id)
        event.add("session", .number(Int64(facts.session)))
        event.add("listener", listener)
        event.add("client", clientText)
        event.add("client_name", clientName?.printable(limit: 255))
        event.add("hello", helloName)
        event.add("account", account)
        event.add("tls", facts.tls?.version)
        event.add("from", envelope.reversePath.description)
        event.add("to", .list(envelope.recipients.prefix(Self.recipientsShown).map(\.mailbox.description)))
        event.add("recipients", .number(Int64(envelope.recipients.count)))
        event.add("size", .number(Int64(envelope.sizeOctets)))
        event.add(
            "right", transaction.right.map(text(of:)) ?? transaction.provisional.map { _ in "shared network" }
        )
        if envelope.repairedLineEnds { event.add("repaired_line_ends", .flag(true)) }
        if !envelope.fingerprints.isEmpty {
            event.add("fingerprints", .list(envelope.fingerprints.map(\.description)))
        }
        if let hold = envelope.hold {
            event.add("held_by", hold.by)
            event.add("reason", hold.reason)
        }
        return event.encoded()
    }

    /// A session's messages have one right after another.
    private func text(of right: Right) -> String {
        if let rightMemory, rightMemory.right == right { return rightMemory.text }
        let text = right.description
        rightMemory = (right, text)
        return text
    }

    private func stored(
        _ envelope: Envelope, _ content: [[UInt8]], _ line: [UInt8], _ result: Result<Void, StoreError>,
        _ lane: any Lane
    ) -> Answer {
        switch result {
        case .success:
            flow.events.write(line)
            flow.metrics.messagesAccepted.increment()
            flow.metrics.octetsAccepted.increment(by: envelope.sizeOctets)
            flow.metrics.recipientsAccepted.increment(by: envelope.recipients.count)
            countGood()
            if envelope.repairedLineEnds { flow.metrics.lineEndsRepaired.increment() }
            flow.feed.arrived(envelope, content: content, on: lane)
            return .reply(Reply(250, EnhancedStatus(2, 0, 0), "Ok: queued as \(envelope.id)"))
        case .failure(let error):
            if envelope.chunkCount > 0 { flow.store.dropChunks(envelope.id, count: envelope.chunkCount) }
            return refuse(error.reply, stage: .store)
        }
    }
}
