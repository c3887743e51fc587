package import MailValues

/// The data of records, read from their wire form. Names in it are not compressed: the resolver has seen to
/// that.
package enum RecordData {
    /// RFC 1035 §3.3.9.
    package static func mx(_ data: [UInt8]) -> MXRecord? {
        guard data.count > 2, let target = DNSName.text(data[2...]), target.octetCount == data.count - 2
        else { return nil }
        return MXRecord(preference: UInt16(data[0]) << 8 | UInt16(data[1]), exchange: target.name)
    }

    /// RFC 1035 §3.4.1.
    package static func a(_ data: [UInt8]) -> IPAddress? { data.count == 4 ? IPAddress(octets: data) : nil }

    /// RFC 3596 §2.2. A mapped address comes out as IPv4: what it is when dialled.
    package static func aaaa(_ data: [UInt8]) -> IPAddress? {
        data.count == 16 ? IPAddress(octets: data) : nil
    }

    /// PTR and CNAME (RFC 1035 §3.3.1, §3.3.12).
    package static func name(_ data: [UInt8]) -> String? {
        guard let target = DNSName.text(data[...]), target.octetCount == data.count else { return nil }
        return target.name
    }

    /// The strings of one TXT record joined without anything between (RFC 7208 §3.3).
    package static func txt(_ data: [UInt8]) -> [UInt8]? {
        guard !data.isEmpty else { return nil }
        var joined: [UInt8] = []
        joined.reserveCapacity(data.count)
        var position = 0
        while position < data.count {
            let end = position + 1 + Int(data[position])
            guard end <= data.count else { return nil }
            joined.append(contentsOf: data[(position + 1)..<end])
            position = end
        }
        return joined
    }

    /// RFC 6698 §2.1.
    package static func tlsa(_ data: [UInt8]) -> TLSARecord? {
        guard data.count > 3 else { return nil }
        return TLSARecord(
            usage: data[0], selector: data[1], matchingType: data[2], association: Array(data[3...]))
    }
}
