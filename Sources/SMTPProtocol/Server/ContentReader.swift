import MailValues

/// Reads the octets of one message: finds its end, takes away added dots, repairs ends of lines, counts.
///
/// Whole runs are copied once; what the peer sends as one piece leaves as one piece. Where the octets are cut
/// does not matter: what the reader must remember of the last ones is its `position`.
struct ContentReader: Sendable, Equatable {
    enum Framing: UInt8, Sendable {
        /// DATA: ends at CRLF.CRLF, dots at the beginning of lines are doubled (RFC 5321 §4.5.2).
        case dots
        /// BDAT: ends where the count does.
        case counted
    }

    /// Why the message cannot be taken; the rest of it is read and dropped.
    enum Failure: Error, Sendable {
        case messageTooLarge, headerTooLarge, lineTooLong, bareLineEnd

        var reply: Reply {
            switch self {
            case .messageTooLarge: .messageTooLarge
            case .headerTooLarge: .headerTooLarge
            case .lineTooLong: .textLineTooLong
            case .bareLineEnd: .bareLineEnd
            }
        }
    }

    private enum Position: UInt8, Sendable { case lineStart, dot, dotCR, middle, carriageReturn }

    private var framing = Framing.dots
    private var position = Position.lineStart
    private var piece: [UInt8] = []
    private var expectedOctets = 0
    private var lineOctets = 0
    private var headerOctets = 0
    private var isInHeader = true
    private var seen: UInt64 = 0
    private(set) var failure: Failure?
    /// Octets handed on, or about to be.
    private(set) var sizeOctets = 0
    private var repaired = false

    /// Room made for a message of unknown size: most fit, and it is given back within milliseconds.
    private static let roomOctets = 8 * 1024

    init() {}

    /// For a new message; `expectedOctets` is what SIZE declared, or 0.
    init(_ framing: Framing, expectedOctets: Int) {
        self.framing = framing
        self.expectedOctets = expectedOctets
    }

    var facts: MessageFacts {
        MessageFacts(
            sizeOctets: sizeOctets, repairedLineEnds: repaired, hasEightBit: LineEnds.hasEightBit(seen))
    }

    /// Takes octets up to the end of the message, which only `dots` can see; returns how many, and whether it
    /// ended.
    mutating func read(
        _ octets: Octets, _ settings: SessionSettings, into actions: inout [ServerAction]
    ) -> (count: Int, ended: Bool) {
        let end = octets.count
        var index = 0
        var run = 0
        // Read once: the settings are shared, and each look at them counts a reference.
        let (longestLine, longestHeader) = (settings.limits.textLineOctets, settings.limits.headerOctets)
        while index < end {
            switch position {
            case .lineStart:
                if framing == .dots, octets[index] == 0x2E {
                    keep(octets, run..<index, settings, &actions)
                    index += 1
                    run = index
                    position = .dot
                } else {
                    position = .middle
                }
            case .dot:
                if octets[index] == 0x0D {
                    index += 1
                    run = index
                    position = .dotCR
                } else {
                    position = .middle
                }
            case .dotCR:
                if octets[index] == 0x0A {
                    // RFC 5321 §4.1.1.4: CRLF.CRLF and nothing like it.
                    flush(into: &actions)
                    return (index + 1, true)
                }
                repairLineEnd(settings, &actions)
            case .carriageReturn:
                if octets[index] == 0x0A {
                    index += 1
                    run = index
                    keepLineEnd(settings, &actions)
                    endLine(settings)
                    position = .lineStart
                } else {
                    repairLineEnd(settings, &actions)
                }
            case .middle:
                let found = LineEnds.next(in: octets, from: index, seen: &seen)
                lineOctets += found - index
                if lineOctets > longestLine || isInHeader && headerOctets + lineOctets > longestHeader {
                    failLine(endingAt: found, unkept: run, settings)
                }
                if found == end {
                    index = end
                } else if octets[found] == 0x0D, found + 1 == end {
                    keep(octets, run..<found, settings, &actions)
                    index = end
                    run = end
                    position = .carriageReturn
                } else if octets[found] == 0x0D, octets[found + 1] == 0x0A {
                    index = found + 2
                    endLine(settings, unkept: index - run)
                    position = .lineStart
                } else {
                    // A bare CR or LF. What follows is not the start of a line as the sender sees it, so a
                    // dot there is text.
                    keep(octets, run..<found, settings, &actions)
                    index = found + 1
                    run = index
                    repairLineEnd(settings, &actions)
                }
            }
        }
        keep(octets, run..<end, settings, &actions)
        return (end, false)
    }

    /// The last chunk is in: closes an open line, hands over what is left.
    mutating func finish(_ settings: SessionSettings, into actions: inout [ServerAction]) {
        if position == .carriageReturn {
            repairLineEnd(settings, &actions)
        } else if lineOctets > 0 {
            keepLineEnd(settings, &actions)
        }
        flush(into: &actions)
    }

    private mutating func repairLineEnd(_ settings: SessionSettings, _ actions: inout [ServerAction]) {
        if settings.options.lineEnds == .refuse { fail(.bareLineEnd) }
        repaired = true
        keepLineEnd(settings, &actions)
        endLine(settings)
        position = .middle
    }

    private mutating func keepLineEnd(_ settings: SessionSettings, _ actions: inout [ServerAction]) {
        withUnsafeBytes(of: (UInt8(0x0D), UInt8(0x0A))) { keep($0, 0..<2, settings, &actions) }
    }

    /// `unkept`: octets up to this line's end that are not in `sizeOctets` yet.
    private mutating func endLine(_ settings: SessionSettings, unkept: Int = 0) {
        if isInHeader {
            headerOctets += lineOctets + 2
            if lineOctets == 0 { isInHeader = false }
            if headerOctets > settings.limits.headerOctets {
                let isTooLarge = sizeOctets + unkept > settings.limits.messageOctets
                fail(isTooLarge ? .messageTooLarge : .headerTooLarge)
            }
        }
        lineOctets = 0
    }

    /// The line that reaches `end` passes a limit. Several may be passed within one read; the one whose octet came
    /// first is named, so that the answer does not hang on where the octets were cut.
    private mutating func failLine(endingAt end: Int, unkept run: Int, _ settings: SessionSettings) {
        let start = end - lineOctets
        let longest = settings.limits.textLineOctets
        let headerLeft = isInHeader ? settings.limits.headerOctets - headerOctets : .max
        let passing = start + min(longest, headerLeft)
        if sizeOctets + (passing - run) > settings.limits.messageOctets {
            fail(.messageTooLarge)
        } else {
            fail(headerLeft < longest ? .headerTooLarge : .lineTooLong)
        }
    }

    private mutating func fail(_ failure: Failure) {
        guard self.failure == nil else { return }
        self.failure = failure
        piece = []
    }

    private mutating func keep(
        _ octets: Octets, _ range: Range<Int>, _ settings: SessionSettings, _ actions: inout [ServerAction]
    ) {
        guard !range.isEmpty, failure == nil else { return }
        guard range.count <= settings.limits.messageOctets - sizeOctets else { return fail(.messageTooLarge) }
        let limit = settings.limits.contentPieceOctets
        var rest = range
        while !rest.isEmpty {
            if piece.isEmpty {
                let known = expectedOctets - sizeOctets
                piece.reserveCapacity(min(limit, max(known > 0 ? known : Self.roomOctets, rest.count)))
            }
            let count = min(rest.count, limit - piece.count)
            piece.append(contentsOf: octets.part(rest.lowerBound..<rest.lowerBound + count))
            sizeOctets += count
            rest = rest.lowerBound + count..<rest.upperBound
            if piece.count == limit { flush(into: &actions) }
        }
    }

    private mutating func flush(into actions: inout [ServerAction]) {
        guard !piece.isEmpty else { return }
        actions.append(.content(piece))
        piece = []
    }
}
