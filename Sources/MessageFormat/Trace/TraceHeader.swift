package import MailValues

/// The `Received:` field that we put before a message (RFC 5321 §4.4).
///
/// Whatever a stranger chose (HELO, reverse name) is cut to a bound and keeps only the letters of domain
/// names and literals, so that it can neither end the field nor open a comment. With the longest of
/// everything the field stays within `octetLimit`.
package struct TraceHeader: Sendable {
    /// Octets of the field, line ends included.
    package static let octetLimit = 600
    /// Octets of a foreign name.
    static let nameOctets = 96
    /// Octets of our own name.
    static let hostOctets = 128
    /// Octets of TLS version and cipher, each.
    static let cipherOctets = 40
    /// Octets of what follows `for`: its braces, `;`, the date, white space and line ends.
    private static let tailOctets = 48

    /// As said in EHLO, HELO or LHLO; nil before it was said.
    package var hello: String?
    /// The client's name by DNS, confirmed forward.
    package var clientName: String?
    package var client: IPAddress
    /// Our own name.
    package var host: String
    package var transport: TransportName
    /// `TLSv1.3` and `TLS_AES_256_GCM_SHA384`.
    package var tls: (version: String, cipher: String)?
    package var id: QueueID
    /// The one recipient; nil as soon as there are two, since one would learn of the other (RFC 5321 §7.6).
    package var recipient: Mailbox?
    package var at: Timestamp

    package init(
        hello: String?, clientName: String? = nil, client: IPAddress, host: String, transport: TransportName,
        tls: (version: String, cipher: String)? = nil, id: QueueID, recipient: Mailbox? = nil, at: Timestamp
    ) {
        self.hello = hello
        self.clientName = clientName
        self.client = client
        self.host = host
        self.transport = transport
        self.tls = tls
        self.id = id
        self.recipient = recipient
        self.at = at
    }

    package func append(to octets: inout [UInt8]) {
        let start = octets.count
        octets.reserveCapacity(start + Self.octetLimit)
        appendFrom(to: &octets)
        appendBy(to: &octets)
        if let tls {
            octets.append("\r\n\t(")
            octets.append(foreign: tls.version, limit: Self.cipherOctets)
            octets.append(0x20)
            octets.append(foreign: tls.cipher, limit: Self.cipherOctets)
            octets.append(0x29)
        }
        appendRecipient(room: Self.octetLimit - (octets.count - start) - Self.tailOctets, to: &octets)
        octets.append(";\r\n\t")
        at.appendMailDate(to: &octets)
        octets.append("\r\n")
    }

    private func appendFrom(to octets: inout [UInt8]) {
        octets.append("Received: from ")
        octets.append(foreign: hello ?? "unknown", limit: Self.nameOctets)
        octets.append(" (")
        if let clientName {
            octets.append(foreign: clientName, limit: Self.nameOctets)
            octets.append(0x20)
        }
        octets.append(client.isV4 ? "[" : "[IPv6:")  // RFC 5321 §4.1.3
        client.append(to: &octets)
        octets.append("])")
    }

    private func appendBy(to octets: inout [UInt8]) {
        octets.append("\r\n\tby ")
        octets.append(foreign: host, limit: Self.hostOctets)
        octets.append(" with ")
        octets.append(transport.text)
        octets.append(" id ")
        octets.append(id)
    }

    /// Only an address of plain printable ASCII that fits: the others are in the record of the message
    /// anyway.
    private func appendRecipient(room: Int, to octets: inout [UInt8]) {
        guard let recipient else { return }
        let local = recipient.localPart.utf8
        let domain = recipient.domain.name.utf8
        func isPlain(_ octet: UInt8) -> Bool {
            octet > 0x20 && octet < 0x7F && octet != 0x3C && octet != 0x3E
        }
        guard local.count + domain.count < room, local.allSatisfy(isPlain), domain.allSatisfy(isPlain) else {
            return
        }
        octets.append("\r\n\tfor <")
        octets.append(contentsOf: local)
        if !domain.isEmpty {
            octets.append(0x40)
            octets.append(contentsOf: domain)
        }
        octets.append(0x3E)
    }
}

extension [UInt8] {
    /// The letters of domain names and address literals stay, everything else becomes `?`.
    fileprivate mutating func append(foreign text: String, limit: Int) {
        var text = text
        text.withUTF8 { utf8 in
            guard !utf8.isEmpty else { return append(0x3F) }
            let kept = UnsafeBufferPointer(rebasing: utf8.prefix(limit))
            // Nearly all names are clean, and one append costs less than one for each letter.
            guard !kept.allSatisfy(\.isNameLetter) else { return append(contentsOf: kept) }
            for octet in kept { append(octet.isNameLetter ? octet : 0x3F) }
        }
    }

    mutating func append(_ id: QueueID) { append(contentsOf: id.text) }
}

extension UInt8 {
    fileprivate var isNameLetter: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x3A, 0x5B, 0x5D, 0x5F: true
        default: false
        }
    }
}
