import MailValues

extension SettingKind where Value == Domain {
    /// A name that DNS could hold.
    static var domain: SettingKind {
        SettingKind("a domain name such as example.org") { text in
            let name = text.last == "." ? String(text.dropLast()) : text
            return isDomainName(name) ? Domain(name) : nil
        }
    }
}

/// Letters, digits, hyphens and underscores in labels (RFC 1035 §2.3.1, underscores as they are met), or
/// U-labels.
private func isDomainName(_ name: String) -> Bool {
    guard let ascii = Domain(name).aLabel?.name, (1...253).contains(ascii.utf8.count) else { return false }
    return ascii.utf8.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy { label in
        (1...63).contains(label.count) && label.first != 0x2D && label.last != 0x2D
            && label.allSatisfy {
                $0 >= 0x30 && $0 <= 0x39 || $0 >= 0x61 && $0 <= 0x7A || $0 == 0x2D || $0 == 0x5F
            }
    }
}

extension SettingKind where Value == String {
    /// `example.org`, or `.example.org` for what lies below it.
    static var domainPattern: SettingKind {
        SettingKind("a domain name such as example.org, or .example.org for every name below it") { text in
            let name = text.first == "." ? String(text.dropFirst()) : text
            return isDomainName(name) ? (text.first == "." ? "." : "") + Domain(name).name : nil
        }
    }

    /// The name of a header field (RFC 5322 §3.6.8).
    static var headerName: SettingKind {
        SettingKind("the name of a header field") { text in
            text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A } && !text.isEmpty ? text : nil
        }
    }

    /// SHA-256 in hexadecimal; colons between are dropped.
    static var fingerprint: SettingKind {
        SettingKind("a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons") { text in
            let digits = text.lowercased().filter { $0 != ":" }
            return digits.utf8.count == 64 && digits.allSatisfy(\.isHexDigit) ? digits : nil
        }
    }

    /// What listeners, credentials and providers are called in logs and references.
    static var shortName: SettingKind {
        SettingKind("a name of letters, digits, `-`, `_` and `.`") { text in
            let isPlain = text.utf8.allSatisfy {
                $0 >= 0x30 && $0 <= 0x39 || $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A
                    || [0x2D, 0x2E, 0x5F].contains($0)
            }
            return (1...64).contains(text.utf8.count) && isPlain ? text : nil
        }
    }
}

extension SettingKind where Value == Mailbox {
    static var mailbox: SettingKind {
        SettingKind("an address such as postmaster@example.org") { text in
            guard let at = text.utf8.lastIndex(of: 0x40),
                let domain = SettingKind<Domain>.domain.parse(String(text[text.utf8.index(after: at)...]))
            else { return nil }
            let local = text[..<at]
            // Quoted local parts are for machines; who writes a configuration by hand can do without.
            let isPlain = local.utf8.allSatisfy { octet in
                octet > 0x20 && octet != 0x7F && !"()<>[]:;@\\,\"".utf8.contains(octet)
            }
            guard (1...64).contains(local.utf8.count), isPlain, local.first != ".", local.last != "." else {
                return nil
            }
            return Mailbox(localPart: String(local), domain: domain)
        }
    }
}

extension SettingKind where Value == IPAddress {
    static var address: SettingKind {
        SettingKind("an IP address such as 192.0.2.1 or 2001:db8::1") { IPAddress($0) }
    }
}

extension SettingKind where Value == Network {
    static var network: SettingKind {
        SettingKind("a network such as 10.0.0.0/8 or 2001:db8::/32") { text in
            guard let network = Network(text) else { return nil }
            // `10.1.2.3/8` is more often a slip than a wish.
            guard let slash = text.firstIndex(of: "/") else { return network }
            return IPAddress(text[..<slash]) == network.address ? network : nil
        }
    }
}

extension SettingKind where Value == SocketEndpoint {
    static func endpoint(defaultPort: UInt16? = nil) -> SettingKind {
        let example =
            defaultPort == nil ? "127.0.0.1:25 or \"[::1]:25\"" : "192.0.2.53 or \"[2001:db8::53]:53\""
        return SettingKind("an address and a port such as \(example)") { text in
            guard let (host, port) = hostAndPort(text, defaultPort: defaultPort),
                let address = IPAddress(host)
            else { return nil }
            return SocketEndpoint(address: address, port: port)
        }
    }
}

/// `host:port`, `[address]:port`, or either without port where there is a default; a bare IPv6 address has no
/// port.
func hostAndPort(_ text: String, defaultPort: UInt16?) -> (host: String, port: UInt16)? {
    let host: Substring
    var rest: Substring
    if text.first == "[" {
        guard let close = text.firstIndex(of: "]") else { return nil }
        host = text[text.index(after: text.startIndex)..<close]
        rest = text[text.index(after: close)...]
        guard host.contains(":") else { return nil }
    } else if IPAddress(text) != nil {
        return defaultPort.map { (text, $0) }
    } else {
        host = text.prefix { $0 != ":" }
        rest = text[host.endIndex...]
    }
    if rest.isEmpty { return defaultPort.map { (String(host), $0) } }
    rest = rest.dropFirst()
    guard text[host.endIndex...].contains(":"), !rest.isEmpty,
        rest.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
        let port = UInt16(rest), port > 0
    else { return nil }
    return (String(host), port)
}
