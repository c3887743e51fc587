import MailValues

/// DATA (RFC 5321 §4.1.1.4) and BDAT (RFC 3030 §2).
extension ServerSession {
    mutating func data(_ arguments: Octets, _ now: Timestamp, _ actions: inout [ServerAction]) {
        guard arguments.allSatisfy({ $0 == 0x20 }) else { return refuse(.syntax, &actions) }
        guard let transaction else { return refuse(greeted == .no ? .helloFirst : .mailFirst, &actions) }
        switch transaction.phase {
        case .envelope: break
        case .chunks: return refuse(.inChunks, &actions)  // RFC 3030 §2: the two are not mixed
        case .failed: return refuse(.resetFirst, &actions)
        }
        guard transaction.recipientCount > 0 else { return refuse(.noRecipients, &actions) }  // RFC 5321 §3.3
        content = ContentReader(.dots, expectedOctets: transaction.expectedOctets)
        startMessageClock(now)
        state = .content
        actions.append(.beginMessage)
        actions.append(.send(.startContent))
    }

    /// Octets of a message in DATA; returns how many belong to it.
    mutating func takeContent(_ octets: Octets, _ actions: inout [ServerAction]) -> Int {
        let hadFailed = content.failure != nil
        let (count, ended) = content.read(octets, settings, into: &actions)
        if !hadFailed, let failure = content.failure {
            actions.append(.refused(failure.reply, .content))
            actions.append(.abortTransaction)
        }
        guard ended else { return count }
        if let failure = content.failure {
            transaction = nil
            content = ContentReader()
            state = .commands
            refuse(failure.reply, &actions)
        } else {
            askForMessage(&actions)
        }
        return count
    }

    // MARK: BDAT

    mutating func chunk(_ arguments: Octets, _ now: Timestamp, _ actions: inout [ServerAction]) {
        var words = Words(arguments)
        // Without a size we do not know where commands go on, and to guess would be to let content speak.
        guard let size = words.next()?.decimal, size <= UInt64(Int64.max) + 1 else {
            return end(.badChunkSize, &actions)
        }
        let marker = words.next()
        startMessageClock(now)
        let isLast = marker?.isKeyword("LAST") == true
        guard words.next() == nil, marker == nil || isLast else { return drop(size, .syntax, &actions) }
        if let reply = chunkRefusal(size) { return drop(size, reply, &actions) }
        if let opened = transaction, opened.phase == .envelope {
            content = ContentReader(
                .counted, expectedOctets: max(opened.expectedOctets, isLast ? Int(size) : 0))
            transaction?.phase = .chunks
            actions.append(.beginMessage)
        }
        state = .chunk(remaining: size, isLast: isLast)
    }

    /// Why this chunk is counted off and dropped, if it is.
    private func chunkRefusal(_ size: UInt64) -> Reply? {
        if facts.isHealthCheck { return .healthCheckOnly }
        guard settings.offers(ChunkingExtension.keyword) else { return .notImplemented }
        guard let transaction else { return greeted == .no ? .helloFirst : .mailFirst }
        switch transaction.phase {
        case .failed: return .resetFirst
        case .envelope where transaction.recipientCount == 0: return .noRecipients
        case .envelope, .chunks: break
        }
        // Line ends may be repaired, so the count of octets handed on is looked at again as they come.
        let before = transaction.phase == .chunks ? content.sizeOctets : 0
        return size > UInt64(settings.limits.messageOctets - before) ? .messageTooLarge : nil
    }

    private mutating func drop(_ size: UInt64, _ reply: Reply, _ actions: inout [ServerAction]) {
        failChunks(reply, &actions)
        state = .droppedChunk(remaining: size, reply)
    }

    /// The transaction is lost, and says so until RSET.
    private mutating func failChunks(_ reply: Reply, _ actions: inout [ServerAction]) {
        guard let phase = transaction?.phase, phase != .failed else { return }
        transaction?.phase = .failed
        content = ContentReader()
        actions.append(.refused(reply, .content))
        actions.append(.abortTransaction)
    }

    mutating func takeChunk(
        _ octets: Octets, _ remaining: UInt64, isLast: Bool, _ actions: inout [ServerAction]
    ) {
        _ = content.read(octets, settings, into: &actions)
        let remaining = remaining - UInt64(octets.count)
        if remaining == 0 && isLast { content.finish(settings, into: &actions) }
        if let failure = content.failure { return drop(remaining, failure.reply, &actions) }
        guard remaining == 0 else {
            state = .chunk(remaining: remaining, isLast: isLast)
            return
        }
        if isLast {
            askForMessage(&actions)
        } else {
            state = .commands
            actions.append(.send(.chunkTaken))
        }
    }

    private mutating func askForMessage(_ actions: inout [ServerAction]) {
        let facts = content.facts
        content = ContentReader()
        ask(.endOfMessage(isOverdue: false), .endOfMessage(facts), &actions)
    }
}
