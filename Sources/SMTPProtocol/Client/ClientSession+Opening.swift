import MailValues

/// From the connection to the first transaction: greeting, EHLO, STARTTLS, AUTH.
extension ClientSession {
    /// One SASL exchange (RFC 4954 §4).
    enum Authentication: Sendable, Equatable {
        case plain
        case loginUser
        case loginPassword
        /// LOGIN's password or another last message is sent: only 235 can follow.
        case last
        /// Messages of ours that are sent: first, final, and the empty one that takes the server's proof.
        case scram(sent: Int)
    }

    mutating func open(now: Timestamp, _ actions: inout [ClientAction]) {
        if target.implicitTLS {
            beginHandshake(now: now, &actions)
        } else {
            awaitGreeting(now: now)
        }
    }

    private mutating func awaitGreeting(now: Timestamp) {
        state = .greeting
        owed += 1
        deadline = now + timeouts.greeting
    }

    mutating func takeGreeting(now: Timestamp, _ actions: inout [ClientAction]) {
        switch parser.code / 100 {
        case 2: sayHello(isFallback: false, now: now, &actions)
        // RFC 5321 §3.1: who was refused says QUIT and goes.
        case 4, 5: refuse(during: "connection", &actions)
        default: breakOff(detail: "unexpected greeting: \(parser.reply)", &actions)
        }
    }

    func helloCommand(isFallback: Bool) -> String {
        switch target.language {
        case .lmtp: "LHLO"
        case .smtp: isFallback ? "HELO" : "EHLO"
        }
    }

    private mutating func sayHello(isFallback: Bool, now: Timestamp, _ actions: inout [ClientAction]) {
        state = .hello(isFallback: isFallback)
        send(
            "\(helloCommand(isFallback: isFallback)) \(target.helloName.printable(limit: 255))\r\n", now: now,
            &actions)
    }

    mutating func takeHello(isFallback: Bool, now: Timestamp, _ actions: inout [ClientAction]) {
        let command = helloCommand(isFallback: isFallback)
        switch parser.code / 100 {
        case 2:
            // What was offered before TLS counts for nothing after it (RFC 3207 §4.2).
            offer = isFallback ? PeerOffer() : PeerOffer(helloText: parser.text)
            secureOrGoOn(now: now, &actions)
        case 5 where target.language == .smtp && !isFallback && parser.code != 521:
            sayHello(isFallback: true, now: now, &actions)  // RFC 5321 §3.2
        case 4, 5: refuse(during: command, &actions)
        default: breakOff(detail: "unexpected reply to \(command): \(parser.reply)", &actions)
        }
    }

    // MARK: TLS

    private mutating func secureOrGoOn(now: Timestamp, _ actions: inout [ClientAction]) {
        let isWanted: Bool
        switch target.tls {
        case .none: isWanted = false
        case .may, .require, .verify: isWanted = tls == nil
        }
        guard isWanted else { return authenticateOrFinish(now: now, &actions) }
        if offer.startTLS {
            state = .startTLS
            send("STARTTLS\r\n", now: now, &actions)
        } else if target.tls == .may {
            authenticateOrFinish(now: now, &actions)
        } else {
            leave(.tlsNotOffered, &actions)
        }
    }

    mutating func takeStartTLS(now: Timestamp, _ actions: inout [ClientAction]) {
        if parser.code == 220 {
            beginHandshake(now: now, &actions)
        } else if parser.code == 421 {
            fail(.refused(parser.reply, during: "STARTTLS"), &actions)
        } else if target.tls == .may && parser.code >= 400 {
            authenticateOrFinish(now: now, &actions)
        } else {
            refuse(during: "STARTTLS", &actions)
        }
    }

    /// Octets in clear came behind the 220, so that somebody between us could put words in front of the encrypted
    /// ones (RFC 3207 §6). No handshake is begun, and it is none that failed: that would have us come back in
    /// clear, which is what an attacker wants.
    mutating func interrupted(_ actions: inout [ClientAction]) {
        actions.removeAll { $0 == .startTLS }
        fail(.broken(detail: "words in clear behind the reply to STARTTLS"), &actions)
    }

    /// No reply is owed from here on.
    private mutating func beginHandshake(now: Timestamp, _ actions: inout [ClientAction]) {
        state = .handshaking
        deadline = now + timeouts.handshake
        actions.append(.startTLS)
    }

    mutating func resume(with facts: TLSFacts, now: Timestamp, _ actions: inout [ClientAction]) {
        guard case .handshaking = state else { return }
        tls = facts
        offer = PeerOffer()
        if target.implicitTLS {
            awaitGreeting(now: now)
        } else {
            sayHello(isFallback: false, now: now, &actions)
        }
    }

    // MARK: AUTH

    private mutating func authenticateOrFinish(now: Timestamp, _ actions: inout [ClientAction]) {
        guard let credentials = target.credentials else { return finishOpening(&actions) }
        guard !credentials.user.utf8.contains(0), !credentials.password.utf8.contains(0) else {
            return leave(.broken(detail: "the configured credentials hold a NUL"), &actions)
        }
        // A password goes out in clear only where the route says that there is no TLS: with `may`, whoever
        // sits on the wire would just have to hide STARTTLS.
        let mayShowPassword = tls != nil || target.tls == .none
        var usable = offer.mechanisms
        if !offersSCRAM { usable.remove(.scramSHA256) }
        if !mayShowPassword { usable.subtract([.plain, .login]) }
        if usable.contains(.scramSHA256) {
            state = .authenticating(.scram(sent: 0))
            deadline = now + timeouts.opening
            actions.append(.authenticate(challenge: nil))
        } else if usable.contains(.plain) {
            state = .authenticating(.plain)
            let message = [0] + Array(credentials.user.utf8) + [0] + Array(credentials.password.utf8)
            sendLine("AUTH PLAIN ", base64: message, now: now, &actions)  // RFC 4616 §2
        } else if usable.contains(.login) {
            state = .authenticating(.loginUser)
            send("AUTH LOGIN\r\n", now: now, &actions)
        } else if !mayShowPassword && !offer.mechanisms.isDisjoint(with: [.plain, .login]) {
            leave(.tlsNotOffered, &actions)
        } else {
            leave(.broken(detail: "no AUTH mechanism in common"), &actions)
        }
    }

    mutating func takeAuthentication(
        _ exchange: Authentication, now: Timestamp, _ actions: inout [ClientAction]
    ) {
        let code = parser.code
        if code >= 400 { return refuse(during: "AUTH", &actions) }
        guard let credentials = target.credentials else {
            preconditionFailure("AUTH was begun without credentials")
        }
        switch exchange {
        case .loginUser where code == 334:
            state = .authenticating(.loginPassword)
            sendLine(base64: Array(credentials.user.utf8), now: now, &actions)
        case .loginPassword where code == 334:
            state = .authenticating(.last)
            sendLine(base64: Array(credentials.password.utf8), now: now, &actions)
        case .scram(let sent) where code == 334 && sent < 3:
            guard let challenge = parser.text.withUnsafeBytes({ Base64.decode($0) }) else {
                return breakOff(detail: "a challenge that is no base64", &actions)
            }
            deadline = now + timeouts.opening
            actions.append(.authenticate(challenge: challenge))
        // The third message follows the server's proof alone: the shell gives up where there is none (RFC
        // 5802 §3).
        case .scram(3) where code == 235, .plain where code == 235, .last where code == 235:
            finishOpening(&actions)
        case .plain, .loginUser, .loginPassword, .last, .scram:
            breakOff(detail: "unexpected reply to AUTH: \(parser.reply)", &actions)
        }
    }

    mutating func respond(_ octets: [UInt8]?, now: Timestamp, _ actions: inout [ClientAction]) {
        guard case .authenticating(.scram(let sent)) = state else { return }
        guard let octets else {
            return leave(.broken(detail: "the peer failed to prove that it knows the password"), &actions)
        }
        state = .authenticating(.scram(sent: sent + 1))
        sendLine(sent == 0 ? "AUTH SCRAM-SHA-256 " : "", base64: octets, now: now, &actions)
    }

    private mutating func finishOpening(_ actions: inout [ClientAction]) {
        state = .idle
        deadline = nil
        actions.append(.ready)
    }

    // MARK: Leaving

    private mutating func refuse(during command: String, _ actions: inout [ClientAction]) {
        leave(.refused(parser.reply, during: command), &actions)
    }

    /// Without waiting for the 221.
    private mutating func leave(_ error: DialError, _ actions: inout [ClientAction]) {
        actions.append(.send(Self.quitCommand))
        fail(error, &actions)
    }

    private mutating func sendLine(
        _ prefix: String = "", base64 octets: [UInt8], now: Timestamp, _ actions: inout [ClientAction]
    ) {
        send("\(prefix)\(String(decoding: Base64.encode(octets), as: UTF8.self))\r\n", now: now, &actions)
    }

    private mutating func send(_ line: String, now: Timestamp, _ actions: inout [ClientAction]) {
        owed += 1
        deadline = now + timeouts.opening
        actions.append(.send(Array(line.utf8)))
    }
}
