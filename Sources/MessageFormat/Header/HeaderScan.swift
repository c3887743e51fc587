/// What a header may cost us.
package struct HeaderLimits: Sendable, Equatable {
    /// Octets of the header section, blank line included. No standard bounds it; large relays refuse beyond
    /// 256 KiB or more.
    package var sectionOctets = 256 * 1024
    /// Fields in the header section.
    package var fieldCount = 4_096

    package init() {}
}

/// The fields of a header section, found in one pass over its octets.
///
/// Ranges are offsets into the octets that were given. The content comes from the session machine, so that
/// every line ends with CRLF; a bare LF would end a line here too.
package struct HeaderScan: Sendable, Equatable {
    package enum Ending: UInt8, Sendable {
        /// The blank line that a header ends with (RFC 5322 §2.1).
        case blankLine
        /// A line that is neither a field nor a continuation: the body begins there without a blank line.
        case notAField
        /// The octets ran out first.
        case endOfOctets
        /// A limit was passed; nothing behind it was looked at.
        case tooLong
    }

    package private(set) var fields: [HeaderField] = []
    /// Octets of a first line `From …`, as mailbox files have it. It is no field, and no part of a message on
    /// its way.
    package private(set) var mailboxLineOctets = 0
    /// Behind the last field, before the blank line.
    package private(set) var fieldsEnd = 0
    /// Where the body begins.
    package private(set) var sectionEnd = 0
    package private(set) var ending = Ending.endOfOctets
    /// The last line looked at has no line end: with more octets the ending may be another.
    package private(set) var isCut = false

    package init(_ octets: [UInt8], limits: HeaderLimits = HeaderLimits()) {
        octets.withUnsafeBufferPointer { scan($0, limits) }
    }

    package init(_ octets: UnsafeBufferPointer<UInt8>, limits: HeaderLimits = HeaderLimits()) {
        scan(octets, limits)
    }

    private mutating func scan(_ octets: UnsafeBufferPointer<UInt8>, _ limits: HeaderLimits) {
        fields.reserveCapacity(min(24, octets.count / 8 + 1))
        let bound = min(octets.count, limits.sectionOctets)
        var position = skipMailboxLine(octets, bound)
        while position < bound {
            if octets.isLineEnd(at: position) {
                finish(
                    .blankLine, fieldsEnd: position, sectionEnd: position + (octets[position] == 0x0D ? 2 : 1)
                )
                return
            }
            let lineEnd = octets.indexAfterLine(from: position, to: bound)
            isCut = octets[lineEnd - 1] != 0x0A
            if octets[position].isBlank {
                guard let last = fields.indices.last else { break }
                fields[last].end = UInt32(lineEnd)
                fields[last].isFolded = true
            } else {
                guard fields.count < limits.fieldCount else {
                    finish(.tooLong, fieldsEnd: position, sectionEnd: position)
                    return
                }
                guard let field = octets.field(from: position, to: lineEnd) else { break }
                fields.append(field)
            }
            position = lineEnd
        }
        // A line that the limit cuts is not judged: what it is stands behind the limit.
        let ending: Ending =
            if bound < octets.count && (isCut || position >= bound) {
                .tooLong
            } else if position >= bound { .endOfOctets } else { .notAField }
        finish(ending, fieldsEnd: position, sectionEnd: position)
    }

    private mutating func finish(_ ending: Ending, fieldsEnd: Int, sectionEnd: Int) {
        self.ending = ending
        self.fieldsEnd = fieldsEnd
        self.sectionEnd = sectionEnd
    }

    /// `From user@host date`, or `>From …`, left in front by programs that read mailbox files.
    private mutating func skipMailboxLine(_ octets: UnsafeBufferPointer<UInt8>, _ bound: Int) -> Int {
        guard bound >= 6 else { return 0 }
        let start = octets[0] == 0x3E ? 1 : 0
        let isMailboxLine = "From ".utf8.enumerated().allSatisfy { octets[start + $0.offset] == $0.element }
        guard isMailboxLine, octets.field(from: 0, to: octets.indexAfterLine(from: 0, to: bound)) == nil
        else { return 0 }
        mailboxLineOctets = octets.indexAfterLine(from: 0, to: bound)
        return mailboxLineOctets
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// CRLF, or a bare LF.
    fileprivate func isLineEnd(at position: Int) -> Bool {
        if self[position] == 0x0A { return true }
        return self[position] == 0x0D && position + 1 < count && self[position + 1] == 0x0A
    }

    /// Behind the next LF, or `end`: eight octets a step.
    func indexAfterLine(from start: Int, to end: Int) -> Int {
        var position = start
        let raw = UnsafeRawBufferPointer(self)
        while position + 8 <= end {
            let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let difference = word ^ 0x0A0A_0A0A_0A0A_0A0A
            let zeros = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
            if zeros != 0 { return position + zeros.trailingZeroBitCount >> 3 + 1 }
            position += 8
        }
        while position < end {
            if self[position] == 0x0A { return position + 1 }
            position += 1
        }
        return end
    }

    /// The field whose first line is `start..<end`; nil if the line has no name and colon (RFC 5322 §3.6.8).
    fileprivate func field(from start: Int, to end: Int) -> HeaderField? {
        var position = start
        while position < end, self[position] > 0x20, self[position] < 0x7F, self[position] != 0x3A {
            position += 1
        }
        let nameEnd = position
        while position < end, self[position].isBlank { position += 1 }
        guard nameEnd > start, position < end, self[position] == 0x3A else { return nil }
        return HeaderField(
            start: UInt32(start), nameEnd: UInt32(nameEnd), valueStart: UInt32(position + 1),
            end: UInt32(end),
            name: HeaderFieldName(UnsafeBufferPointer(rebasing: self[start..<nameEnd])), isFolded: false)
    }
}
