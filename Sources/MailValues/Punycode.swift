/// Unicode written with letters, digits and hyphens (RFC 3492), as A-labels carry it behind `xn--`.
package enum Punycode {
    // RFC 3492 §5.
    private static let base = 36
    private static let minimumThreshold = 1
    private static let maximumThreshold = 26
    private static let skew = 38
    private static let damp = 700
    private static let initialBias = 72
    private static let initialCode: UInt32 = 128

    /// Scalars in one label; no DNS label holds more octets, so no honest one holds more scalars.
    private static let scalarLimit = 63

    /// The encoded form without `xn--`; nil when the label is too long to be one.
    package static func encode(_ label: some Collection<Unicode.Scalar>) -> [UInt8]? {
        guard label.count <= scalarLimit else { return nil }
        var output = label.filter(\.isASCII).map { UInt8($0.value) }
        let basicCount = output.count
        var handled = basicCount
        if basicCount > 0 { output.append(0x2D) }
        var code = initialCode
        var delta = 0
        var bias = initialBias
        while handled < label.count {
            guard let next = label.lazy.map(\.value).filter({ $0 >= code }).min() else { return nil }
            // At most 63 scalars below 0x110000 keep delta far from the end of Int.
            delta += Int(next - code) * (handled + 1)
            code = next
            for scalar in label {
                if scalar.value < code { delta += 1 }
                guard scalar.value == code else { continue }
                appendInteger(delta, bias: bias, to: &output)
                bias = adapted(delta, points: handled + 1, isFirst: handled == basicCount)
                delta = 0
                handled += 1
            }
            delta += 1
            code += 1
        }
        return output
    }

    /// The label that stands behind `xn--`; nil when it is not well formed or too long.
    package static func decode(_ encoded: ArraySlice<UInt8>) -> [Unicode.Scalar]? {
        guard encoded.count <= scalarLimit else { return nil }
        var output: [Unicode.Scalar] = []
        var rest = encoded[...]
        if let hyphen = encoded.lastIndex(of: 0x2D) {
            for octet in encoded[..<hyphen] {
                guard octet < 0x80 else { return nil }
                output.append(Unicode.Scalar(octet))
            }
            rest = encoded[encoded.index(after: hyphen)...]
        }
        var code = Int(initialCode)
        var position = 0
        var bias = initialBias
        while !rest.isEmpty {
            guard let delta = takeInteger(from: &rest, bias: bias), output.count < scalarLimit else {
                return nil
            }
            let points = output.count + 1
            bias = adapted(delta, points: points, isFirst: position == 0 && code == Int(initialCode))
            let (advanced, overflow) = position.addingReportingOverflow(delta)
            guard !overflow, advanced / points <= 0x10FFFF else { return nil }
            code += advanced / points
            guard code <= 0x10FFFF, let scalar = Unicode.Scalar(UInt32(code)) else { return nil }
            position = advanced % points
            output.insert(scalar, at: position)
            position += 1
        }
        return output
    }

    /// A variable-length integer (RFC 3492 §3.3).
    private static func appendInteger(_ value: Int, bias: Int, to output: inout [UInt8]) {
        var rest = value
        var weight = base
        while true {
            let threshold = min(max(weight - bias, minimumThreshold), maximumThreshold)
            guard rest >= threshold else { break }
            output.append(letter(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            weight += base
        }
        output.append(letter(rest))
    }

    private static func takeInteger(from rest: inout ArraySlice<UInt8>, bias: Int) -> Int? {
        var value = 0
        var factor = 1
        var weight = base
        while true {
            guard let octet = rest.popFirst(), let digit = digit(octet) else { return nil }
            let (product, tooWide) = digit.multipliedReportingOverflow(by: factor)
            let (sum, tooLarge) = value.addingReportingOverflow(product)
            guard !tooWide, !tooLarge else { return nil }
            value = sum
            let threshold = min(max(weight - bias, minimumThreshold), maximumThreshold)
            guard digit >= threshold else { return value }
            let (grown, overflow) = factor.multipliedReportingOverflow(by: base - threshold)
            guard !overflow else { return nil }
            factor = grown
            weight += base
        }
    }

    private static func letter(_ digit: Int) -> UInt8 { UInt8(digit < 26 ? 0x61 + digit : 0x30 + digit - 26) }

    private static func digit(_ letter: UInt8) -> Int? {
        switch letter {
        case 0x61...0x7A: Int(letter) - 0x61
        case 0x41...0x5A: Int(letter) - 0x41
        case 0x30...0x39: Int(letter) - 0x30 + 26
        default: nil
        }
    }

    /// RFC 3492 §6.1.
    private static func adapted(_ delta: Int, points: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / points
        var weight = 0
        while delta > (base - minimumThreshold) * maximumThreshold / 2 {
            delta /= base - minimumThreshold
            weight += base
        }
        return weight + (base - minimumThreshold + 1) * delta / (delta + skew)
    }
}
