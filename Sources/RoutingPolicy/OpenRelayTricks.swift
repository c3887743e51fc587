package import MailValues

/// A way in which strangers have made relays carry mail for them, as the two arguments of one transaction.
package struct OpenRelayTrick: Sendable, Equatable {
    package let name: String
    /// What stands after `MAIL FROM:`, with placeholders.
    package let sender: String
    /// What stands after `RCPT TO:`, with placeholders.
    package let recipient: String

    init(_ name: String, from sender: String = "<{stranger}>", to recipient: String) {
        self.name = name
        self.sender = sender
        self.recipient = recipient
    }

    /// Names and addresses that take the place of the placeholders.
    package struct Parties: Sendable, Equatable {
        /// A relay domain of the host under test, and a local part that exists there.
        package var ownDomain: String
        package var ownUser: String
        /// The host's own name and address.
        package var ownHost: String
        package var ownAddress: IPAddress
        /// Where a stranger wants his mail to go, and where he says that it comes from.
        package var targetUser: String
        package var targetDomain: String
        package var targetAddress: IPAddress
        package var stranger: String

        package init(
            ownDomain: String, ownUser: String, ownHost: String, ownAddress: IPAddress,
            targetUser: String = "relaytest",
            targetDomain: String = "relay-test.example", targetAddress: IPAddress = .v4(0xC633_6419),
            stranger: String = "stranger@elsewhere.example"
        ) {
            self.ownDomain = ownDomain
            self.ownUser = ownUser
            self.ownHost = ownHost
            self.ownAddress = ownAddress
            self.targetUser = targetUser
            self.targetDomain = targetDomain
            self.targetAddress = targetAddress
            self.stranger = stranger
        }
    }

    /// The argument of MAIL FROM for these parties, in octets.
    package func senderArgument(_ parties: Parties) -> [UInt8] { Self.expand(sender, parties) }

    /// The argument of RCPT TO for these parties, in octets: control characters and broken UTF-8 may stand in
    /// it.
    package func recipientArgument(_ parties: Parties) -> [UInt8] { Self.expand(recipient, parties) }

    /// Whether MAIL must say SMTPUTF8 for the recipient to be looked at.
    package var needsUTF8: Bool { recipient.utf8.contains { $0 >= 0x80 } }

    private static func expand(_ template: String, _ parties: Parties) -> [UInt8] {
        var output: [UInt8] = []
        var rest = Array(template.utf8)[...]
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "{"), let end = rest.firstIndex(of: UInt8(ascii: "}")) else {
                output.append(octet)
                continue
            }
            output += value(String(decoding: rest[..<end], as: UTF8.self), parties)
            rest = rest[(end + 1)...]
        }
        return output
    }

    private static func value(_ placeholder: String, _ parties: Parties) -> [UInt8] {
        switch placeholder {
        case "own": Array(parties.ownDomain.utf8)
        case "user": Array(parties.ownUser.utf8)
        case "host": Array(parties.ownHost.utf8)
        case "literal": Array(literal(parties.ownAddress).utf8)
        case "name": Array(parties.targetUser.utf8)
        case "target": Array(parties.targetDomain.utf8)
        case "targetliteral": Array(literal(parties.targetAddress).utf8)
        case "stranger": Array(parties.stranger.utf8)
        // The octets that an over-long UTF-8 sequence gives to `@` (RFC 3629 §3 forbids it).
        case "overlong": [0xC1, 0x80]
        default: preconditionFailure("a template names a placeholder that is not there: \(placeholder)")
        }
    }

    private static func literal(_ address: IPAddress) -> String {
        address.isV4 ? "[\(address)]" : "[IPv6:\(address)]"
    }
}

/// Every trick that `chappe selftest open-relay` tries from a foreign address. None may end in a 250 to the
/// end of data.
package enum OpenRelayTricks {
    package static let all: [OpenRelayTrick] = plain + senders + routes + quoted + encoded + boundaries

    /// No trick at all: does anybody ask who is there?
    private static let plain = [
        OpenRelayTrick("plain", to: "<{name}@{target}>"),
        OpenRelayTrick("target in upper case", to: "<{name}@RELAY.{target}>"),
        OpenRelayTrick("target literal", to: "<{name}@{targetliteral}>"),
        OpenRelayTrick("subdomain of target named like us", to: "<{name}@{own}.{target}>"),
        OpenRelayTrick("without brackets", to: "{name}@{target}"),
        OpenRelayTrick("final dot", to: "<{name}@{target}.>"),
        OpenRelayTrick("user of the target without domain of ours", to: "<postmaster@{target}>"),
    ]

    /// A sender proves nothing.
    private static let senders = [
        OpenRelayTrick("null sender", from: "<>", to: "<{name}@{target}>"),
        OpenRelayTrick("sender of our domain", from: "<{user}@{own}>", to: "<{name}@{target}>"),
        OpenRelayTrick("sender postmaster of ours", from: "<postmaster@{own}>", to: "<{name}@{target}>"),
        OpenRelayTrick("sender at our host", from: "<{user}@{host}>", to: "<{name}@{target}>"),
        OpenRelayTrick("sender at our literal", from: "<{user}@{literal}>", to: "<{name}@{target}>"),
        OpenRelayTrick("sender at localhost", from: "<root@localhost>", to: "<{name}@{target}>"),
        OpenRelayTrick("sender at loopback literal", from: "<root@[127.0.0.1]>", to: "<{name}@{target}>"),
        OpenRelayTrick("sender without domain", from: "<{user}>", to: "<{name}@{target}>"),
        OpenRelayTrick("sender is the target", from: "<{name}@{target}>", to: "<{name}@{target}>"),
        OpenRelayTrick("sender with percent hack", from: "<{user}%{own}@{target}>", to: "<{name}@{target}>"),
    ]

    /// Routes inside the address.
    private static let routes = [
        OpenRelayTrick("percent hack at our domain", to: "<{name}%{target}@{own}>"),
        OpenRelayTrick("percent hack at our host", to: "<{name}%{target}@{host}>"),
        OpenRelayTrick("percent hack at our literal", to: "<{name}%{target}@{literal}>"),
        OpenRelayTrick("percent hack without domain", to: "<{name}%{target}>"),
        OpenRelayTrick("percent hack twice", to: "<{name}%{target}%{own}@{host}>"),
        OpenRelayTrick("percent hack with a user of ours", to: "<{user}+{name}%{target}@{own}>"),
        OpenRelayTrick("source route by our domain", to: "<@{own}:{name}@{target}>"),
        OpenRelayTrick("source route by our host", to: "<@{host}:{name}@{target}>"),
        OpenRelayTrick("source route by our literal", to: "<@{literal}:{name}@{target}>"),
        OpenRelayTrick("source route of two hosts", to: "<@{own},@{host}:{name}@{target}>"),
        OpenRelayTrick("source route that ends with us", to: "<@{target}:{name}%{target}@{own}>"),
        OpenRelayTrick("bang path", to: "<{target}!{name}>"),
        OpenRelayTrick("bang path at our domain", to: "<{target}!{name}@{own}>"),
        OpenRelayTrick("bang path at our literal", to: "<{target}!{name}@{literal}>"),
        OpenRelayTrick("bang path through us", to: "<{own}!{target}!{name}>"),
        OpenRelayTrick("bang path and percent hack", to: "<{target}!{name}%{target}@{own}>"),
        OpenRelayTrick("bang path in front of the target", to: "<{own}!{name}@{target}>"),
    ]

    /// Quotes and second at signs.
    private static let quoted = [
        OpenRelayTrick("quoted address without domain", to: "<\"{name}@{target}\">"),
        OpenRelayTrick("quoted address at our domain", to: "<\"{name}@{target}\"@{own}>"),
        OpenRelayTrick("quoted address at our literal", to: "<\"{name}@{target}\"@{literal}>"),
        OpenRelayTrick("quoted percent hack", to: "<\"{name}%{target}\"@{own}>"),
        OpenRelayTrick("quoted bang path", to: "<\"{target}!{name}\"@{own}>"),
        OpenRelayTrick("quoted source route", to: "<\"@{own}:{name}@{target}\"@{own}>"),
        OpenRelayTrick("quoted user at the target", to: "<\"{name}\"@{target}>"),
        OpenRelayTrick("escaped at sign", to: "<{name}\\@{target}@{own}>"),
        OpenRelayTrick("escaped at sign in quotes", to: "<\"{name}\\@{target}\"@{own}>"),
        OpenRelayTrick("two at signs, ours last", to: "<{name}@{target}@{own}>"),
        OpenRelayTrick("two at signs, ours first", to: "<{user}@{own}@{target}>"),
        OpenRelayTrick("brackets twice", to: "<<{name}@{target}>@{own}>"),
        OpenRelayTrick("brackets closed early", to: "<{name}@{target}>@{own}"),
    ]

    /// An at sign that appears when somebody decodes once too often.
    private static let encoded = [
        OpenRelayTrick("quoted-printable =40", to: "<{name}=40{target}@{own}>"),
        OpenRelayTrick("URL %40", to: "<{name}%40{target}@{own}>"),
        OpenRelayTrick("URL %2540", to: "<{name}%2540{target}@{own}>"),
        OpenRelayTrick("xtext +40", to: "<{name}+40{target}@{own}>"),
        OpenRelayTrick("xtext +40 with a user of ours", to: "<{user}+40{target}@{own}>"),
        OpenRelayTrick("xtext +25", to: "<{name}+25{target}@{own}>"),
        OpenRelayTrick("octal \\100", to: "<\"{name}\\100{target}\"@{own}>"),
        OpenRelayTrick("HTML &#64;", to: "<\"{name}&#64;{target}\"@{own}>"),
        OpenRelayTrick("HTML &commat;", to: "<\"{name}&commat;{target}\"@{own}>"),
        OpenRelayTrick("UTF-7 +AEA-", to: "<{name}+AEA-{target}@{own}>"),
        OpenRelayTrick("encoded word", to: "<=?utf-8?q?{name}=40{target}?=@{own}>"),
        OpenRelayTrick("full-width at sign", to: "<{name}\u{FF20}{target}@{own}>"),
        OpenRelayTrick("small at sign", to: "<{name}\u{FE6B}{target}@{own}>"),
        OpenRelayTrick("full-width percent sign", to: "<{name}\u{FF05}{target}@{own}>"),
        OpenRelayTrick("full-width exclamation mark", to: "<{target}\u{FF01}{name}@{own}>"),
        OpenRelayTrick("over-long at sign", to: "<{name}{overlong}{target}@{own}>"),
    ]

    /// Places where one reader stops and the next one goes on.
    private static let boundaries = [
        OpenRelayTrick("NUL after the target", to: "<{name}@{target}\u{0}@{own}>"),
        OpenRelayTrick("NUL after our domain", to: "<{user}@{own}\u{0}.{target}>"),
        OpenRelayTrick("bare CR after the target", to: "<{name}@{target}\u{D}@{own}>"),
        OpenRelayTrick("TAB after the target", to: "<{name}@{target}\u{9}@{own}>"),
        OpenRelayTrick("DEL after the target", to: "<{name}@{target}\u{7F}@{own}>"),
        OpenRelayTrick("space after the target", to: "<{name}@{target} @{own}>"),
        OpenRelayTrick("comment with our domain", to: "<{name}@{target}(@{own})>"),
        OpenRelayTrick("list of two", to: "<{user}@{own},{name}@{target}>"),
        OpenRelayTrick("list of two, ours last", to: "<{name}@{target},{user}@{own}>"),
        OpenRelayTrick("group", to: "<{own}:{name}@{target};>"),
        OpenRelayTrick("port behind the target", to: "<{name}@{target}:25>"),
        OpenRelayTrick("semicolon before our domain", to: "<{name}@{target};@{own}>"),
        OpenRelayTrick("program", to: "<\"|sendmail {name}@{target}\"@{own}>"),
        OpenRelayTrick("option", to: "<\"-odi {name}@{target}\"@{own}>"),
        OpenRelayTrick("fragment", to: "<{name}@{target}#{own}>"),
        OpenRelayTrick("URL", to: "<mailto:{name}@{target}>"),
    ]
}
