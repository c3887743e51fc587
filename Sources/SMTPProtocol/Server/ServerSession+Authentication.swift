import MailValues

/// AUTH (RFC 4954): one exchange of lines, base 64 taken off here, the mechanisms themselves elsewhere.
extension ServerSession {
    mutating func authenticate(_ arguments: Octets, _ actions: inout [ServerAction]) {
        guard settings.offers(AuthExtension.keyword) else { return refuse(.notImplemented, &actions) }
        guard greeted != .no else { return refuse(.helloFirst, &actions) }
        guard account == nil else { return refuse(.alreadyAuthenticated, &actions) }  // RFC 4954 §4
        guard transaction == nil else { return refuse(.badSequence, &actions) }
        if facts.tls == nil && !settings.options.allowsClearAuthentication {
            return refuse(.encryptionNeeded, &actions)  // RFC 4954 §6
        }
        var words = Words(arguments)
        // RFC 4422 §3.1: a mechanism's name has at most 20 letters.
        guard let name = words.next(), name.count <= 20 else { return refuse(.syntax, &actions) }
        let response = words.next()
        guard words.next() == nil else { return refuse(.syntax, &actions) }
        let mechanism = String(decoding: name.map(\.upperCased), as: UTF8.self)
        let offered = AuthExtension.mechanisms(settings.options, situation(mayXclient: false))
        guard offered.contains(mechanism) else { return refuse(.unknownMechanism, &actions) }
        authenticationRounds = 0
        guard let response else {
            return ask(
                .authentication, .authenticate(.begin(mechanism: mechanism, initialResponse: nil)), &actions)
        }
        // RFC 4954 §4: `=` is a response of no octets.
        guard let octets = response.count == 1 && response[0] == 0x3D ? [] : Base64.decode(response) else {
            return refuse(.badBase64, &actions)
        }
        ask(.authentication, .authenticate(.begin(mechanism: mechanism, initialResponse: octets)), &actions)
    }

    mutating func takeAuthenticationLine(_ line: Octets, _ actions: inout [ServerAction]) {
        authenticationRounds += 1
        if line.count == 1, line[0] == 0x2A {
            endAuthentication(.authenticationCancelled, &actions)
        } else if line.count + 2 > settings.limits.authenticationLineOctets {
            endAuthentication(.authenticationLineTooLong, &actions)
        } else if authenticationRounds > settings.limits.authenticationRounds {
            endAuthentication(.authenticationFailed, &actions)
        } else if let octets = Base64.decode(line) {
            ask(.authentication, .authenticate(.response(octets)), &actions)
        } else {
            endAuthentication(.badBase64, &actions)
        }
    }

    /// The house drops what it knows of the exchange; then the reply goes out.
    mutating func endAuthentication(_ reply: Reply, _ actions: inout [ServerAction]) {
        ask(.authenticationEnd(reply), .authenticate(.cancelled), &actions)
    }

    mutating func settleAuthentication(_ answer: Answer, _ actions: inout [ServerAction]) {
        state = .commands
        switch answer {
        case .challenge(let octets):
            state = .authenticating
            actions.append(.sendChallenge(Base64.encode(octets)))
        case .authenticated(let account):
            self.account = account
            actions.append(.send(.authenticated))
        case .refuse(let reply):
            refuse(reply, &actions)
        case .accept, .reply:
            refuse(.houseFailed, &actions)
        }
    }
}
