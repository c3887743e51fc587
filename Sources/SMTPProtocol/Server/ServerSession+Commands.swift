import MailValues

/// The verbs, as far as the machine knows them (RFC 5321 §4.1.1 and its extensions).
enum Verb {
    case ehlo, helo, mail, rcpt, data, bdat, rset, noop, quit, vrfy, expn, help, starttls, auth, xclient
    /// Belongs to HTTP: somebody has been made to talk to us who does not mean to.
    case foreign
    case unknown

    /// Letters of any case, at most eight, packed into a word so that one comparison decides.
    init(_ octets: Octets) {
        guard (1...8).contains(octets.count) else {
            self = .unknown
            return
        }
        var word: UInt64 = 0
        for octet in octets { word = word << 8 | UInt64(octet.upperCased) }
        switch word {
        case 0x4548_4C4F: self = .ehlo
        case 0x4845_4C4F: self = .helo
        case 0x4D41_494C: self = .mail
        case 0x5243_5054: self = .rcpt
        case 0x4441_5441: self = .data
        case 0x4244_4154: self = .bdat
        case 0x5253_4554: self = .rset
        case 0x4E4F_4F50: self = .noop
        case 0x5155_4954: self = .quit
        case 0x5652_4659: self = .vrfy
        case 0x4558_504E: self = .expn
        case 0x4845_4C50: self = .help
        case 0x5354_4152_5454_4C53: self = .starttls
        case 0x4155_5448: self = .auth
        case 0x5843_4C49_454E_54: self = .xclient
        // GET, PUT, POST, HEAD, PATCH, DELETE, OPTIONS, CONNECT, TRACE
        case 0x47_4554, 0x50_5554, 0x504F_5354, 0x4845_4144, 0x50_4154_4348, 0x4445_4C45_5445,
            0x4F50_5449_4F4E_53, 0x434F_4E4E_4543_54, 0x54_5241_4345:
            self = .foreign
        default: self = .unknown
        }
    }
}

extension ServerSession {
    /// Takes one line, its CRLF removed. `isLastHeld`: nothing of what has come follows it.
    mutating func takeLine(
        _ line: Octets, isLastHeld: Bool, _ now: Timestamp, _ actions: inout [ServerAction]
    ) {
        if case .authenticating = state { return takeAuthenticationLine(line, &actions) }
        let verbEnd = line.firstIndex(of: 0x20) ?? line.count
        let verb = Verb(line.part(0..<verbEnd))
        let arguments = line.part(from: min(verbEnd + 1, line.count))
        if isDraining && !isInTransaction { return end(verb == .quit ? .goodbye : .shuttingDown, &actions) }
        // Before anything may refuse a line: the octets behind a BDAT are never commands (RFC 3030 §2).
        if verb == .bdat { return chunk(arguments, now, &actions) }
        if line.hasKeywordPrefix("BDAT") { return end(.badChunkSize, &actions) }
        guard line.count + 2 <= lineLimit(verb) else { return refuse(lineTooLong(verb), &actions) }
        guard !line.hasControl else { return refuse(.malformedLine, &actions) }
        if facts.isHealthCheck && ![.ehlo, .helo, .quit].contains(verb) {
            return refuse(.healthCheckOnly, &actions)
        }
        switch verb {
        case .mail: mail(arguments, &actions)
        case .rcpt: recipient(arguments, &actions)
        case .data: data(arguments, now, &actions)
        case .ehlo, .helo: hello(arguments, isExtended: verb == .ehlo, &actions)
        case .rset: reset(arguments, &actions)
        case .quit: end(.goodbye, &actions)
        case .noop: idle(.ok, &actions)
        case .vrfy: idle(arguments.isEmpty ? .syntax : .cannotVerify, &actions)
        case .help: idle(.help, &actions)
        case .expn: idle(.notImplemented, &actions)
        case .starttls: startTLS(arguments, isLastHeld: isLastHeld, &actions)
        case .auth: authenticate(arguments, &actions)
        case .xclient: xclient(arguments, &actions)
        case .foreign: end(.notSMTP, &actions)
        case .unknown, .bdat: refuse(.unknownCommand, &actions)
        }
    }

    /// Octets that a line with this verb may have, CRLF included.
    private func lineLimit(_ verb: Verb) -> Int {
        switch verb {
        case .mail: settings.mailLineOctets
        case .rcpt: settings.recipientLineOctets
        case .auth: max(settings.limits.commandLineOctets, settings.longestLineOctets)
        default: settings.limits.commandLineOctets
        }
    }

    private func lineTooLong(_ verb: Verb) -> Reply {
        verb == .auth ? .authenticationLineTooLong : .lineTooLong
    }

    /// A command that brings no mail nearer. Each may be said, and is cheap; a session of nothing else is a
    /// burden.
    mutating func idle(_ reply: Reply, _ actions: inout [ServerAction]) {
        guard countJunk(&actions) else { return }
        if reply.isPositive { actions.append(.send(reply)) } else { refuse(reply, &actions) }
    }

    private mutating func countJunk(_ actions: inout [ServerAction]) -> Bool {
        junkCount += 1
        guard junkCount > settings.limits.junkCommandCount else { return true }
        end(.tooManyIdleCommands, &actions)
        return false
    }

    private mutating func reset(_ arguments: Octets, _ actions: inout [ServerAction]) {
        guard arguments.allSatisfy({ $0 == 0x20 }) else { return refuse(.syntax, &actions) }
        dropTransaction(&actions)
        idle(.ok, &actions)
    }

    // MARK: EHLO, STARTTLS, XCLIENT

    /// Octets of a client's name that are kept.
    private static let nameOctets = PathParser.domainOctets

    private mutating func hello(_ arguments: Octets, isExtended: Bool, _ actions: inout [ServerAction]) {
        guard countJunk(&actions) else { return }
        guard let name = helloName(arguments) else { return refuse(.noName, &actions) }
        // RFC 5321 §4.1.4: EHLO later in a session is RSET as well.
        dropTransaction(&actions)
        if facts.isHealthCheck {
            greeted = isExtended ? .ehlo : .helo
            actions.append(.send(isExtended ? settings.ehlo(situation(mayXclient: false)) : settings.helo))
        } else {
            ask(.hello(isExtended: isExtended), .hello(name, isExtended: isExtended), &actions)
        }
    }

    /// Any word that could be a name: senders get their own wrong in every way, and RFC 5321 §4.1.4 forbids
    /// to refuse mail for it. What could hurt in a header or a log is no name.
    private func helloName(_ arguments: Octets) -> String? {
        var words = Words(arguments)
        guard let word = words.next(), words.next() == nil else { return nil }
        let isName = word.allSatisfy { octet in
            octet >= 0x80 || octet.isLetterOrDigit || [0x2D, 0x2E, 0x3A, 0x5B, 0x5D, 0x5F].contains(octet)
        }
        guard isName else { return nil }
        return String(decoding: word.prefix(Self.nameOctets).map { $0 < 0x80 ? $0 : 0x3F }, as: UTF8.self)
    }

    private mutating func startTLS(_ arguments: Octets, isLastHeld: Bool, _ actions: inout [ServerAction]) {
        guard facts.tls == nil else { return refuse(.alreadyEncrypted, &actions) }
        guard settings.offers(StartTLSExtension.keyword) else { return refuse(.notImplemented, &actions) }
        guard transaction == nil else { return refuse(.badSequence, &actions) }
        guard arguments.isEmpty else { return refuse(.syntax, &actions) }  // RFC 3207 §4
        // Without EHLO too: RFC 3207 asks for none, some clients say none, and TLS begins the talk anew (§4.2).
        //
        // RFC 3207 §6 leaves it to us; commands sent ahead would be taken for encrypted ones.
        guard isLastHeld else { return end(.talksBeforeHandshake, &actions) }
        state = .handshaking
        actions.append(.send(.beginHandshake))
        actions.append(.startTLS)
    }

    private mutating func xclient(_ arguments: Octets, _ actions: inout [ServerAction]) {
        guard mayXclient else { return refuse(.unknownCommand, &actions) }
        guard transaction == nil else { return refuse(.badSequence, &actions) }
        do throws(CommandError) {
            let facts = try XclientExtension.facts(arguments, of: facts)
            ask(.xclient(facts), .xclient(facts), &actions)
        } catch {
            refuse(error.reply, &actions)
        }
    }

    // MARK: MAIL and RCPT

    private mutating func mail(_ arguments: Octets, _ actions: inout [ServerAction]) {
        guard greeted != .no else { return refuse(.helloFirst, &actions) }
        if settings.options.requiresTLS && facts.tls == nil { return refuse(.startTLSFirst, &actions) }
        if let transaction {
            switch transaction.phase {
            case .envelope: return refuse(.nestedMail, &actions)
            case .chunks: return refuse(.inChunks, &actions)
            case .failed: return refuse(.resetFirst, &actions)
            }
        }
        if let limit = settings.limits.transactionCount, transactionCount >= limit {
            return end(.tooManyTransactions, &actions)
        }
        do throws(CommandError) {
            let command = try parseMail(arguments)
            let declared = command.declaredSize ?? 0
            guard declared <= UInt64(settings.limits.messageOctets) else {  // RFC 1870 §6.1
                actions.append(.refused(.messageTooLarge, .mail(command.reversePath)))
                throw .tooLarge
            }
            let opened = Transaction(
                isNullPath: command.reversePath == .null, smtpUTF8: command.smtpUTF8,
                expectedOctets: Int(declared))
            ask(.mail(opened), .mail(command), &actions)
        } catch {
            refuse(error.reply, &actions)
        }
    }

    private mutating func recipient(_ arguments: Octets, _ actions: inout [ServerAction]) {
        guard let transaction else { return refuse(greeted == .no ? .helloFirst : .mailFirst, &actions) }
        switch transaction.phase {
        case .envelope: break
        case .chunks: return refuse(.inChunks, &actions)
        case .failed: return refuse(.resetFirst, &actions)
        }
        let limits = settings.limits
        guard
            transaction.recipientCount
                < (transaction.isNullPath ? limits.nullPathRecipientCount : limits.recipientCount)
        else {  // RFC 5321 §4.5.3.1.10
            // Told once: the refusal is transient, so that a client may ask for as long as it likes.
            if !transaction.isOverfull { actions.append(.refused(.tooManyRecipients, .recipient)) }
            self.transaction?.isOverfull = true
            return refuse(.tooManyRecipients, &actions)
        }
        do throws(CommandError) {
            ask(.recipient, .recipient(try parseRecipient(arguments, transaction)), &actions)
        } catch {
            refuse(error.reply, &actions)
        }
    }

    private func parseMail(_ arguments: Octets) throws(CommandError) -> MailCommand {
        let (path, parameters) = try parsePath(arguments, after: "FROM:", .reverse)
        var command = MailCommand(reversePath: path.mailbox.map { .mailbox($0) } ?? .null)
        var words = Words(parameters)
        while let word = words.next() {
            let parameter = try parseParameter(word)
            // RFC 5321 §4.1.1.11: what was not offered is not guessed at.
            guard try takeMail(parameter, into: &command) else { throw .unknownParameter }
        }
        guard !path.needsUTF8 || command.smtpUTF8 else { throw .utf8NotAnnounced }
        return command
    }

    private func parseRecipient(
        _ arguments: Octets, _ transaction: Transaction
    ) throws(CommandError) -> RecipientCommand {
        let (path, parameters) = try parsePath(arguments, after: "TO:", .forward)
        guard let mailbox = path.mailbox else { throw .forwardPath(.syntax) }
        guard !path.needsUTF8 || transaction.smtpUTF8 else { throw .utf8NotAnnounced }
        var command = RecipientCommand(mailbox: mailbox, rawPath: [UInt8](arguments.part(path.inner)))
        var words = Words(parameters)
        while let word = words.next() {
            let parameter = try parseParameter(word)
            guard try takeRecipient(parameter, into: &command) else { throw .unknownParameter }
        }
        return command
    }

    private func takeMail(
        _ parameter: Parameter, into command: inout MailCommand
    ) throws(CommandError) -> Bool {
        for candidate in settings.extensions where try candidate.takeMail(parameter, into: &command) {
            return true
        }
        return false
    }

    private func takeRecipient(
        _ parameter: Parameter, into command: inout RecipientCommand
    ) throws(CommandError) -> Bool {
        for candidate in settings.extensions where try candidate.takeRecipient(parameter, into: &command) {
            return true
        }
        return false
    }

    /// The path behind `FROM:` or `TO:`, and what follows it.
    ///
    /// Spaces before the path are taken though RFC 5321 §3.3 forbids them: much software puts one there.
    private func parsePath(
        _ arguments: Octets, after keyword: StaticString, _ direction: PathParser.Direction
    ) throws(CommandError) -> (Path, parameters: Octets) {
        guard arguments.hasKeywordPrefix(keyword) else { throw .syntax }
        var start = keyword.utf8CodeUnitCount
        while start < arguments.count, arguments[start] == 0x20 { start += 1 }
        let path: Path
        do throws(PathError) {
            path = try PathParser.parse(arguments, from: start, direction)
        } catch {
            throw direction == .reverse ? .reversePath(error) : .forwardPath(error)
        }
        let end = path.inner.upperBound + 1
        guard end == arguments.count || arguments[end] == 0x20 else { throw .syntax }
        return (path, arguments.part(from: end))
    }

    /// RFC 5321 §4.1.2: `esmtp-param`.
    private func parseParameter(_ word: Octets) throws(CommandError) -> Parameter {
        let equals = word.firstIndex(of: 0x3D)
        let name = word.part(0..<(equals ?? word.count))
        guard let first = name.first, first.isLetterOrDigit,
            name.allSatisfy({ $0.isLetterOrDigit || $0 == 0x2D })
        else {
            throw .syntax
        }
        guard let equals else { return Parameter(name: name, value: nil) }
        let value = word.part(from: equals + 1)
        guard !value.isEmpty else { throw .badParameter }
        return Parameter(name: name, value: value)
    }
}
