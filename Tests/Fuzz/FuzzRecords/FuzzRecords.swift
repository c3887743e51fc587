import DNSRecords
import MailValues

/// Record data and names of any octets are read within their bounds, and what is read is stable.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: data, count: count))
    if let (name, taken) = DNSName.text(octets[...]) {
        precondition(taken <= count && name.utf8.count <= DNSName.nameOctets, "a name is bounded")
        precondition(DNSName.text(DNSName.wire(name)[...])?.name == name, "a name read can be written")
    }
    if let mx = RecordData.mx(octets) { precondition(mx.exchange.utf8.count <= DNSName.nameOctets) }
    if let text = RecordData.txt(octets) {
        precondition(text.count < count, "each string has a length before it")
    }
    _ = RecordData.a(octets)?.isPubliclyDialable
    _ = RecordData.aaaa(octets)?.isPubliclyDialable
    _ = RecordData.name(octets)
    _ = RecordData.tlsa(octets)

    let text = String(decoding: octets, as: UTF8.self)
    if let name = DNSName.normalized(text) {
        precondition(DNSName.normalized(name) == name, "normalising twice changes nothing")
        precondition(name.utf8.allSatisfy { $0 < 0x80 } && name.utf8.count <= DNSName.nameOctets)
    }
    let domain = Domain(text)
    if let aLabel = domain.aLabel, !domain.isLiteral {
        precondition(aLabel.isASCII && aLabel.aLabel == aLabel, "an A-label is one")
        let uLabel = aLabel.uLabel
        precondition(uLabel.aLabel == aLabel, "what people read leads back")
    }
    _ = domain.literalAddress
    if let scalars = Punycode.decode(octets[...]), scalars.contains(where: { !$0.isASCII }) {
        guard let encoded = Punycode.encode(scalars) else { return 0 }
        precondition(Punycode.decode(encoded[...]) == scalars, "Punycode goes both ways")
    }
    return 0
}
