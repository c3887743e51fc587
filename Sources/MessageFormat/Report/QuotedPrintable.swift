import MailValues

private let hexadecimal = Array("0123456789ABCDEF".utf8)

extension [UInt8] {
    /// Appends text in quoted-printable (RFC 2045 §6.7); its CRLFs stay line ends.
    mutating func append(quotedPrintable text: [UInt8]) {
        var column = 0
        var position = 0
        while position < text.count {
            let octet = text[position]
            if octet == 0x0D, position + 1 < text.count, text[position + 1] == 0x0A {
                append("\r\n")
                column = 0
                position += 2
                continue
            }
            let endsLine = position + 1 == text.count || text[position + 1] == 0x0D
            // White space at the end of a line may get lost on the way; a dot alone troubles some (RFC 2049
            // §3).
            let isPlain =
                octet.isBlank ? !endsLine : octet > 0x20 && octet < 0x7F && octet != 0x3D && octet != 0x2E
            let needed = isPlain || octet == 0x2E && column > 0 ? 1 : 3
            if column + needed > 75 {
                append("=\r\n")
                column = 0
                continue
            }
            if needed == 1 {
                append(octet)
            } else {
                append(0x3D)
                append(hexadecimal[Int(octet >> 4)])
                append(hexadecimal[Int(octet & 15)])
            }
            column += needed
            position += 1
        }
    }
}

/// Text out of quoted-printable, leniently: what is no code stays as it is.
func decodedQuotedPrintable(_ text: ArraySlice<UInt8>) -> [UInt8] {
    func value(_ octet: UInt8) -> UInt8? {
        switch octet {
        case 0x30...0x39: octet - 0x30
        case 0x41...0x46: octet - 0x37
        case 0x61...0x66: octet - 0x57
        default: nil
        }
    }
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var position = text.startIndex
    while position < text.endIndex {
        if text[position] == 0x3D, position + 2 < text.endIndex {
            if text[position + 1] == 0x0D, text[position + 2] == 0x0A {
                position += 3
                continue
            }
            if let high = value(text[position + 1]), let low = value(text[position + 2]) {
                result.append(high << 4 | low)
                position += 3
                continue
            }
        }
        result.append(text[position])
        position += 1
    }
    return result
}
