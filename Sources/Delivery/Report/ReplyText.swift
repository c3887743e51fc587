import MailValues

extension Reply {
    /// Octets of a peer's reply that stand in an event.
    private static let eventOctets = 512

    /// As `description`, in printable ASCII of bounded length; made in one pass, since every delivery needs
    /// it.
    var eventText: String {
        var text = text
        return text.withUTF8 { source in
            let capacity = min(Self.eventOctets, source.count * 3 + 24)
            return String(unsafeUninitializedCapacity: capacity) { buffer in
                var count = 0
                func put(_ octet: UInt8) {
                    guard count < buffer.count else { return }
                    buffer[count] = octet
                    count += 1
                }
                func put(_ number: UInt16) {
                    var power: UInt16 =
                        number >= 10_000
                        ? 10_000 : number >= 1_000 ? 1_000 : number >= 100 ? 100 : number >= 10 ? 10 : 1
                    while power > 0 {
                        put(UInt8(0x30 + number / power % 10))
                        power /= 10
                    }
                }
                put(code)
                put(0x20 as UInt8)
                if let enhanced {
                    put(UInt16(enhanced.statusClass))
                    put(0x2E as UInt8)
                    put(enhanced.subject)
                    put(0x2E as UInt8)
                    put(enhanced.detail)
                    put(0x20 as UInt8)
                }
                for octet in source {
                    if octet == 0x0A {  // a line's end, as `description` shows it
                        put(0x20 as UInt8)
                        put(0x2F as UInt8)
                        put(0x20 as UInt8)
                    } else {
                        put(octet >= 0x20 && octet < 0x7F ? octet : 0x3F as UInt8)
                    }
                }
                return count
            }
        }
    }
}
