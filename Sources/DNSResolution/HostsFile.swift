import DNSRecords
package import MailValues

/// Addresses by name and names by address, as `/etc/hosts` writes them: an address, then its names.
package struct HostsFile: Sendable, Equatable {
    /// Octets of one line that are looked at.
    package static let lineOctets = 4096

    private var addresses: [String: [IPAddress]] = [:]
    private var names: [IPAddress: [String]] = [:]

    package init() {}

    /// Reads what it can: a line that is no entry is passed over, as every reader of this file does.
    package init(parsing text: [UInt8]) {
        for line in text.split(separator: 0x0A) where line.count <= Self.lineOctets {
            let words = line.prefix { $0 != UInt8(ascii: "#") }.split {
                $0 == 0x20 || $0 == 0x09 || $0 == 0x0D
            }
            guard let first = words.first, let address = IPAddress(String(decoding: first, as: UTF8.self))
            else { continue }
            for word in words.dropFirst() { insert(String(decoding: word, as: UTF8.self), address) }
        }
    }

    package mutating func insert(_ name: String, _ address: IPAddress) {
        guard let name = DNSName.normalized(name) else { return }
        if addresses[name]?.contains(address) != true { addresses[name, default: []].append(address) }
        if names[address]?.contains(name) != true { names[address, default: []].append(name) }
    }

    package var isEmpty: Bool { addresses.isEmpty }

    /// Nil for a name that is not there. `name` is normalised.
    package func addresses(of name: String) -> [IPAddress]? { addresses.isEmpty ? nil : addresses[name] }
    package func names(of address: IPAddress) -> [String]? { names.isEmpty ? nil : names[address] }
}
