internal import MailValues

/// How a certificate would bear a name: as a host, or as an address.
enum PeerName: Equatable {
    case host
    /// Without the brackets of an address literal.
    case address(String)

    init(_ name: String) {
        var text = name[...]
        if text.hasPrefix("[") && text.hasSuffix("]") { text = text.dropFirst().dropLast() }
        if text.hasPrefix("IPv6:") || text.hasPrefix("ipv6:") { text = text.dropFirst(5) }
        self = IPAddress(text) == nil ? .host : .address(String(text))
    }
}
