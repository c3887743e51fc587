import MailValues

/// A listed peer says for whom it speaks (Postfix XCLIENT_README).
enum XclientExtension: ServiceExtension {
    static let keyword = "XCLIENT"

    static func isEnabled(_ options: SessionOptions) -> Bool { !options.xclientPeers.isEmpty }

    static func line(_ options: SessionOptions, _ situation: SessionSituation) -> String? {
        situation.contains(.mayXclient) ? "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT" : nil
    }

    /// The facts as the peer says they are. PROTO, HELO and LOGIN are read and left aside: the client says
    /// the first two again, and a name on the word of a peer is no authentication.
    static func facts(_ arguments: Octets, of peer: ConnectionFacts) throws(CommandError) -> ConnectionFacts {
        var facts = peer
        facts.proxy = peer.proxy ?? peer.client
        var words = Words(arguments)
        var any = false
        while let word = words.next() {
            any = true
            guard let equals = word.firstIndex(of: 0x3D) else { throw .syntax }
            let name = word.part(0..<equals)
            guard let value = Xtext.decodeText(word.part(from: equals + 1)) else { throw .syntax }
            let known = value != "[UNAVAILABLE]" && value != "[TEMPUNAVAIL]" && !value.isEmpty
            if name.isKeyword("ADDR") {
                if known { facts.client = try address(value) }
            } else if name.isKeyword("DESTADDR") {
                if known { facts.local = try address(value) }
            } else if name.isKeyword("PORT") {
                if known { facts.clientPort = try port(value) }
            } else if name.isKeyword("DESTPORT") {
                if known { facts.localPort = try port(value) }
            } else if name.isKeyword("NAME") {
                facts.clientName = known ? value.printable(limit: PathParser.domainOctets) : nil
            } else if !name.isKeyword("PROTO"), !name.isKeyword("HELO"), !name.isKeyword("LOGIN") {
                throw .syntax
            }
        }
        guard any else { throw .syntax }
        return facts
    }

    private static func address(_ value: String) throws(CommandError) -> IPAddress {
        let isV6 = value.utf8.count > 5 && value.prefix(5).uppercased() == "IPV6:"
        guard let address = IPAddress(isV6 ? value.dropFirst(5) : value[...]) else { throw .syntax }
        return address
    }

    private static func port(_ value: String) throws(CommandError) -> UInt16 {
        guard value.utf8.allSatisfy(\.isDigit), let port = UInt16(value) else { throw .syntax }
        return port
    }
}
