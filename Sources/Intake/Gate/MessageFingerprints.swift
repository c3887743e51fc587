package import MailValues

/// The fingerprints of a message that lies in a file, as intake finds them in one that comes.
package enum MessageFingerprints {
    /// Octets of a file that is looked at: as much as a message may have by default, and its line ends.
    package static let fileOctetsLongest = 64 << 20

    /// Its text's first, where there is enough of it, then its files', each once. `message` may have any kind of line ends:
    /// mail programs save it with their own, and it came with CRLF.
    package static func of(_ message: [UInt8]) -> [Fingerprint] {
        let reader = FingerprintReader()
        reader.take(withCRLF(message))
        return reader.finish()
    }

    private static func withCRLF(_ text: [UInt8]) -> [UInt8] {
        var lines: [UInt8] = []
        lines.reserveCapacity(text.count + text.count / 32)
        var last: UInt8 = 0
        for octet in text {
            switch octet {
            case 0x0A where last == 0x0D: break
            case 0x0A, 0x0D: lines += [0x0D, 0x0A]
            default: lines.append(octet)
            }
            last = octet
        }
        if !lines.isEmpty, lines.last != 0x0A { lines += [0x0D, 0x0A] }
        return lines
    }
}
