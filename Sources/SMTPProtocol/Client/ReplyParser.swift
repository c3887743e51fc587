package import MailValues

/// What a peer may make us hold of one reply.
package struct ReplyLimits: Sendable, Equatable {
    /// Octets kept of a line; RFC 5321 §4.5.3.1.5 allows 512, but peers explain at length. What comes beyond
    /// is dropped.
    package var lineOctetsKept = 2_048
    /// Octets of a line, kept or not, after which we hang up.
    package var lineOctets = 65_536
    /// Lines of one reply.
    package var lineCount = 100
    /// Octets of text kept of one reply, all lines together.
    package var textOctets = 8_192
    package init() {}
}

/// Why something is no SMTP reply. The session cannot go on: what answers which command is no longer known.
package enum ReplyError: Error, Sendable, Equatable {
    /// No code of three digits from 200 to 599, or something else than a space or a hyphen behind it.
    case malformed
    /// The lines of one reply bear different codes (RFC 5321 §4.2.1).
    case mixedCodes
    case lineTooLong
    case tooManyLines

    /// For the log.
    package var detail: String {
        switch self {
        case .malformed: "the peer sent something that is no SMTP reply"
        case .mixedCodes: "the lines of a reply bear different codes"
        case .lineTooLong: "a line of a reply does not end"
        case .tooManyLines: "a reply does not end"
        }
    }
}

/// Reads replies out of octets that come in any cut.
///
/// Only CRLF ends a line. A bare LF is text, shown as `?`: a peer that repeats an address of ours in its
/// reply must not be led into saying two replies (RFC 5321 §2.3.8).
package struct ReplyParser: Sendable {
    private let limits: ReplyLimits
    /// The kept part of a line that is still arriving.
    private var line: [UInt8] = []
    /// Octets of that line so far, dropped ones included.
    private var lineOctets = 0
    private var lastWasCR = false
    private var lineCount = 0
    private var isComplete = false

    /// The code of the reply that `consume` has just found whole.
    package private(set) var code: UInt16 = 0
    /// Its lines without code, printable, divided by LF; an enhanced status still stands in them.
    package private(set) var text: [UInt8] = []
    /// Some line held an LF without CR: a peer that ends its lines so will never be understood.
    package private(set) var sawBareLineFeed = false

    package init(limits: ReplyLimits = ReplyLimits()) { self.limits = limits }

    /// Nothing of a reply has arrived.
    package var isEmpty: Bool { lineOctets == 0 && (isComplete || lineCount == 0) }

    /// Takes octets from `offset` up to the end of the next reply; true when it is whole, false when all
    /// octets are taken and more must come.
    package mutating func consume(
        _ octets: UnsafeRawBufferPointer, from offset: inout Int
    ) throws(ReplyError) -> Bool {
        if isComplete {
            isComplete = false
            lineCount = 0
            text.removeAll(keepingCapacity: true)
        }
        var start = offset
        var index = offset
        while index < octets.count {
            let octet = octets[index]
            index += 1
            guard octet == 0x0A else {
                lastWasCR = octet == 0x0D
                continue
            }
            guard lastWasCR else {
                sawBareLineFeed = true
                continue
            }
            lastWasCR = false
            try take(UnsafeRawBufferPointer(rebasing: octets[start..<index]))
            start = index
            offset = index
            if isComplete { return true }
        }
        try keep(UnsafeRawBufferPointer(rebasing: octets[start...]))
        offset = octets.count
        return false
    }

    /// The rest of a line, CRLF at its end.
    private mutating func take(_ rest: UnsafeRawBufferPointer) throws(ReplyError) {
        if lineOctets == 0 && rest.count <= limits.lineOctetsKept {
            try finish(UnsafeRawBufferPointer(rebasing: rest.dropLast(2)))
            return
        }
        try keep(rest)
        var whole: [UInt8] = []
        swap(&whole, &line)
        // The CRLF is among what was kept, or was dropped with the end of an overlong line, in whole or in
        // half.
        let count = min(whole.count, lineOctets - 2)
        lineOctets = 0
        try whole.withUnsafeBufferPointer { (all) throws(ReplyError) in
            try finish(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(all)[..<count]))
        }
        whole.removeAll(keepingCapacity: true)
        swap(&whole, &line)
    }

    private mutating func keep(_ octets: UnsafeRawBufferPointer) throws(ReplyError) {
        lineOctets += octets.count
        guard lineOctets <= limits.lineOctets else { throw .lineTooLong }
        line.append(contentsOf: octets.prefix(limits.lineOctetsKept - line.count))
    }

    private mutating func finish(_ line: UnsafeRawBufferPointer) throws(ReplyError) {
        guard lineCount < limits.lineCount else { throw .tooManyLines }
        guard line.count >= 3, (0x32...0x35).contains(line[0]), (0x30...0x39).contains(line[1]),
            (0x30...0x39).contains(line[2])
        else { throw .malformed }
        let code = UInt16(line[0] - 0x30) * 100 + UInt16(line[1] - 0x30) * 10 + UInt16(line[2] - 0x30)
        if lineCount == 0 { self.code = code }
        guard code == self.code else { throw .mixedCodes }
        lineCount += 1
        if lineCount > 1 && text.count < limits.textOctets { text.append(0x0A) }
        guard line.count > 3 else {
            isComplete = true  // A code alone is a reply (RFC 5321 §4.2).
            return
        }
        guard line[3] == 0x20 || line[3] == 0x2D else { throw .malformed }
        isComplete = line[3] == 0x20
        let room = limits.textOctets - text.count
        if room > 0 {
            text.append(contentsOf: line[4...].prefix(room).lazy.map { $0 >= 0x20 && $0 < 0x7F ? $0 : 0x3F })
        }
    }
}

extension ReplyParser {
    /// The whole reply as a value. Made only where somebody wants to read it: most replies are just their
    /// code.
    package var reply: Reply {
        var enhanced: EnhancedStatus?
        var plain: [UInt8] = []
        plain.reserveCapacity(text.count)
        for (number, line) in text.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            if number > 0 { plain.append(0x0A) }
            // RFC 2034 §4: the status stands on every line, and its class is that of the code.
            let (status, rest) = Self.enhancedStatus(in: line)
            if let status, UInt16(status.statusClass) == code / 100, number == 0 || status == enhanced {
                enhanced = status
                plain.append(contentsOf: rest)
            } else {
                plain.append(contentsOf: line)
            }
        }
        return Reply(code, enhanced, String(decoding: plain, as: UTF8.self))
    }

    /// `class.subject.detail` at the beginning of a line, and what follows the space behind it (RFC 3463 §2).
    private static func enhancedStatus(in line: ArraySlice<UInt8>) -> (EnhancedStatus?, ArraySlice<UInt8>) {
        let word = line.prefix { $0 != 0x20 }
        guard (5...9).contains(word.count), let first = word.first, [0x32, 0x34, 0x35].contains(first) else {
            return (nil, line)
        }
        let parts = word.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 1, let subject = number(parts[1]),
            let detail = number(parts[2])
        else {
            return (nil, line)
        }
        return (EnhancedStatus(first - 0x30, subject, detail), line[word.endIndex...].dropFirst())
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt16? {
        guard (1...3).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return digits.reduce(0) { $0 * 10 + UInt16($1 - 0x30) }
    }
}
