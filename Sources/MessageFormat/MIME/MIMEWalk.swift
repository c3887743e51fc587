/// Who is shown the leaves of a message, their transfer encoding taken off, as they come.
package protocol LeafTaker {
    mutating func take(_ octets: UnsafeRawBufferPointer, of kind: MIMEWalk.LeafKind)
    mutating func ended(_ kind: MIMEWalk.LeafKind)
}

/// Walks through a message while it comes, piece by piece, and shows its leaves.
///
/// It keeps a line at most, and no tree: what an attacker nests costs him more than us. It never fails: what is broken
/// is shown as it is read, or passed over.
package struct MIMEWalk: Sendable {
    /// What one message may make us look at.
    package struct Limits: Sendable, Equatable {
        /// Multiparts within multiparts; what is deeper is passed over.
        package var nestingDeepest = 16
        /// Parts; what comes behind them is passed over.
        package var partsMost = 256
        /// Octets of a boundary; RFC 2046 §5.1.1 allows 70, and some write more.
        package var boundaryOctets = 200
        /// Octets of the Content- fields of one part.
        package var fieldOctets = 8 * 1024
        package init() {}
    }

    package enum LeafKind: Sendable, Hashable {
        /// Text that is shown as the body.
        case text
        case attachment
    }

    private enum Place: Sendable, Equatable {
        case header
        case leaf(LeafKind)
        /// Preambles, epilogues, and what is beyond the limits.
        case passed
    }

    /// A line end that may belong to a delimiter (RFC 2046 §5.1.1), and is held back.
    private enum LineEnd: Sendable { case none, lf, cr, crlf }

    private let limits: Limits
    private var place = Place.header
    /// Octets of a line's beginning that do not yet say what line it is.
    private var carry: [UInt8] = []
    /// What comes next goes on with a line of which it is known what it is.
    private var isWithinLine = false
    private var owed = LineEnd.none
    private var fields: [UInt8] = []
    private var keepsField = false
    /// The header section is that of a part of a digest, and not of a message in it.
    private var isOfDigest = false
    private var boundaries: [Boundary] = []
    private var decoder = TransferDecoder(.identity)
    private var partCount = 0

    private struct Boundary: Sendable {
        /// With `--` before it.
        var delimiter: [UInt8]
        var isDigest: Bool
    }

    package init(limits: Limits = Limits()) { self.limits = limits }

    package mutating func take(_ octets: UnsafeRawBufferPointer, _ taker: inout some LeafTaker) {
        var start = 0
        if !carry.isEmpty {
            start = min(OctetSearch.next(0x0A, in: octets, from: 0) + 1, octets.count, room(for: carry))
            carry.append(contentsOf: octets.part(0..<start))
            var line: [UInt8] = []
            swap(&line, &carry)
            line.withUnsafeBytes { walk($0, &taker) }
        }
        if start < octets.count { walk(octets.part(start..<octets.count), &taker) }
    }

    package mutating func take(_ octets: [UInt8], _ taker: inout some LeafTaker) {
        octets.withUnsafeBytes { take($0, &taker) }
    }

    /// Nothing more comes.
    package mutating func finish(_ taker: inout some LeafTaker) {
        if !carry.isEmpty {
            var line: [UInt8] = []
            swap(&line, &carry)
            // As if it were whole: a delimiter at the very end needs no line end.
            (line + [0x0A]).withUnsafeBytes { walk($0, &taker) }
            owed = .none
        }
        payOwed(&taker)
        endLeaf(&taker)
        place = .passed
        boundaries = []
    }

    // MARK: Lines

    /// Octets after which a line is known for what it is: no delimiter is longer.
    private var undecidedMost: Int { limits.boundaryOctets + 64 }

    private func room(for carry: [UInt8]) -> Int { max(1, undecidedMost - carry.count) }

    private mutating func walk(_ octets: UnsafeRawBufferPointer, _ taker: inout some LeafTaker) {
        var position = 0
        var run = 0
        while position < octets.count {
            if boundaries.isEmpty, place != .header {
                position = octets.count
                break
            }
            let end = min(OctetSearch.next(0x0A, in: octets, from: position) + 1, octets.count)
            let isWhole = octets[end - 1] == 0x0A
            if !isWithinLine {
                if !isWhole, end - position < undecidedMost, isUndecided(octets[position]) {
                    show(octets.part(run..<position), &taker)
                    carry.append(contentsOf: octets.part(position..<end))
                    return
                }
                if octets[position] == 0x2D, let found = delimiter(octets.part(position..<end)) {
                    show(octets.part(run..<position), &taker)
                    cross(found, &taker)
                    (position, run) = (end, end)
                    continue
                }
            }
            if place == .header {
                takeHeaderLine(octets.part(position..<end), isWhole: isWhole)
                run = end
            }
            isWithinLine = !isWhole
            position = end
        }
        show(octets.part(run..<position), &taker)
    }

    /// Whether a line that begins so could still be something else than content.
    private func isUndecided(_ first: UInt8) -> Bool {
        place == .header || first == 0x2D && !boundaries.isEmpty
    }

    /// Which boundary a line is of, the innermost first, and whether it closes it.
    private func delimiter(_ line: UnsafeRawBufferPointer) -> (depth: Int, closes: Bool)? {
        guard line.count >= 2, line[1] == 0x2D else { return nil }
        for depth in boundaries.indices.reversed() {
            let delimiter = boundaries[depth].delimiter
            guard line.count >= delimiter.count, line.starts(with: delimiter) else { continue }
            var rest = line.dropFirst(delimiter.count)
            let closes = rest.starts(with: [0x2D, 0x2D])
            if closes { rest = rest.dropFirst(2) }
            if rest.allSatisfy({ $0.isBlank || $0 == 0x0D || $0 == 0x0A }) { return (depth, closes) }
        }
        return nil
    }

    private mutating func cross(_ found: (depth: Int, closes: Bool), _ taker: inout some LeafTaker) {
        owed = .none  // the line end before a delimiter is part of it
        endLeaf(&taker)
        isWithinLine = false
        boundaries.removeLast(boundaries.count - found.depth - (found.closes ? 0 : 1))
        if found.closes { place = .passed } else { beginHeader(ofDigest: boundaries.last?.isDigest ?? false) }
    }

    private mutating func beginHeader(ofDigest: Bool) {
        place = .header
        isOfDigest = ofDigest
        fields.removeAll(keepingCapacity: true)
        keepsField = false
    }

    // MARK: Header sections

    private mutating func takeHeaderLine(_ line: UnsafeRawBufferPointer, isWhole: Bool) {
        if !isWithinLine {
            if isWhole, line.count == 1 || line.count == 2 && line[0] == 0x0D { return endHeader() }
            if !line[0].isBlank { keepsField = Self.isContentField(line) }
        }
        guard keepsField else { return }
        guard fields.count + line.count <= limits.fieldOctets else {
            keepsField = false
            return
        }
        fields.append(contentsOf: line)
    }

    private static let prefix: StaticString = "content-"

    /// Content-Type, Content-Transfer-Encoding, Content-Disposition.
    private static func isContentField(_ line: UnsafeRawBufferPointer) -> Bool {
        guard line.count > 8, [0x74, 0x64].contains(line[8] | 0x20) else { return false }
        return prefix.withUTF8Buffer { prefix in
            for index in 0..<8 where line[index].loweredASCII != prefix[index] { return false }
            return true
        }
    }

    private mutating func endHeader() {
        let part = PartHeader(fields, isInDigest: isOfDigest)
        partCount += 1
        guard partCount <= limits.partsMost else {
            place = .passed
            boundaries = []
            return
        }
        switch part.content {
        case .multipart(let boundary, let isDigest):
            place = .passed
            guard boundary.count <= limits.boundaryOctets, boundaries.count < limits.nestingDeepest else {
                return
            }
            boundaries.append(Boundary(delimiter: [0x2D, 0x2D] + boundary, isDigest: isDigest))
        case .message: beginHeader(ofDigest: false)
        case .leaf(let kind):
            place = .leaf(kind)
            decoder = TransferDecoder(part.encoding)
        }
    }

    // MARK: Leaves

    /// Content, its last line end held back.
    private mutating func show(_ octets: UnsafeRawBufferPointer, _ taker: inout some LeafTaker) {
        guard case .leaf = place, !octets.isEmpty else { return }
        var octets = octets
        if owed == .cr, octets[0] == 0x0A {
            owed = .crlf
            octets = octets.part(1..<octets.count)
            guard !octets.isEmpty else { return }
        }
        payOwed(&taker)
        var end = octets.count
        if octets[end - 1] == 0x0D {
            owed = .cr
            end -= 1
        } else if octets[end - 1] == 0x0A {
            end -= 1
            owed = .lf
            if end > 0, octets[end - 1] == 0x0D {
                end -= 1
                owed = .crlf
            }
        }
        if end > 0 { hand(octets.part(0..<end), &taker) }
    }

    private mutating func payOwed(_ taker: inout some LeafTaker) {
        let lineEnd: StaticString
        switch owed {
        case .none: return
        case .lf: lineEnd = "\n"
        case .cr: lineEnd = "\r"
        case .crlf: lineEnd = "\r\n"
        }
        owed = .none
        lineEnd.withUTF8Buffer { hand(UnsafeRawBufferPointer($0), &taker) }
    }

    private mutating func hand(_ octets: UnsafeRawBufferPointer, _ taker: inout some LeafTaker) {
        guard case .leaf(let kind) = place else { return }
        decoder.decode(octets) { taker.take($0, of: kind) }
    }

    private mutating func endLeaf(_ taker: inout some LeafTaker) {
        guard case .leaf(let kind) = place else { return }
        decoder.finish { taker.take($0, of: kind) }
        taker.ended(kind)
        place = .passed
    }
}
