extension Domain {
    /// From octets whose form, UTF-8 among it, the caller has checked; letters of ASCII are lowered on the
    /// way.
    package init(checkedOctets octets: UnsafeRawBufferPointer) {
        name = String(unsafeUninitializedCapacity: octets.count) { buffer in
            for index in 0..<octets.count {
                let octet = octets[index]
                buffer[index] = octet &- 0x41 < 26 ? octet | 0x20 : octet
            }
            return octets.count
        }
    }
}

extension Mailbox {
    /// From octets whose form, UTF-8 among it, the caller has checked.
    package init(checkedLocalPart: UnsafeRawBufferPointer, checkedDomain: UnsafeRawBufferPointer) {
        self.init(
            localPart: String(decoding: checkedLocalPart, as: UTF8.self),
            domain: Domain(checkedOctets: checkedDomain))
    }
}
