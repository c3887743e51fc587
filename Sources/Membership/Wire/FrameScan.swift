/// Counts the parts of a frame before anything is built of them.
///
/// In a mebibyte there is room for half a million empty claims, and each would become an object of a hundred octets and
/// more before anybody could say that they are too many. The scan walks the octets once, builds nothing and goes no
/// deeper than the parts that it knows.
struct FrameScan {
    /// A message within the frame, by what it may hold.
    private enum Part: Int {
        case envelope, probe, relay, claims, gossip, push, digest, deltas
        case claim, batch, fact, mark, delta
        case words, wordPart, word
        /// Of a kind that holds no messages.
        case leaf

        /// The part that stands in the field `number` of this one, as `envelope.proto` and `facts.proto` give it.
        func part(in number: UInt64) -> Part? {
            switch (self, number) {
            case (.envelope, 16), (.envelope, 17): .probe
            case (.envelope, 18...20): .relay
            case (.envelope, 21), (.envelope, 22): .claims
            case (.envelope, 23...26): .leaf
            case (.envelope, 32): .gossip
            case (.envelope, 33): .words
            case (.probe, 3), (.relay, 3), (.claims, 1): .claim
            case (.gossip, 1): .batch
            case (.gossip, 2): .push
            case (.gossip, 4): .digest
            case (.gossip, 5): .deltas
            case (.push, 1), (.delta, 6): .fact
            case (.digest, 1): .mark
            case (.deltas, 1): .delta
            case (.words, 1): .wordPart
            case (.words, 2), (.words, 3): .word
            case (.envelope, _), (.probe, _), (.relay, _), (.claims, _), (.gossip, _), (.push, _),
                (.digest, _),
                (.deltas, _), (.claim, _), (.batch, _), (.fact, _), (.mark, _), (.delta, _), (.leaf, _),
                (.words, _), (.wordPart, _), (.word, _):
                nil
            }
        }

        var limit: Int32 {
            switch self {
            case .claim: Int32(ProbeMessage.syncLimit)
            case .batch: Int32(FactsBounds.batches)
            case .fact: Int32(FactsBounds.facts)
            case .mark, .delta: Int32(FactsBounds.origins)
            case .wordPart: Int32(WordMessage.partsLongest)
            case .word: Int32(WordMessage.wordsLongest)
            // One body is all that we write; more of them are merged or replaced, after they were built.
            case .envelope, .probe, .relay, .claims, .gossip, .push, .digest, .deltas, .words, .leaf: 1
            }
        }
    }

    private let octets: UnsafeRawBufferPointer
    private var counts = SIMD32<Int32>()

    private init(_ octets: UnsafeRawBufferPointer) { self.octets = octets }

    /// Throws if the octets are no fields, or hold more parts of a kind than any frame may.
    static func check(_ octets: [UInt8]) throws(FrameError) {
        let result: Result<Void, FrameError> = octets.withUnsafeBytes { octets in
            var scan = FrameScan(octets)
            do throws(FrameError) {
                try scan.walk(.envelope, 0..<octets.count)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// The fields of one part. No deeper than the parts nest: four.
    private mutating func walk(_ part: Part, _ range: Range<Int>) throws(FrameError) {
        var place = range.lowerBound
        while place < range.upperBound {
            let key = try number(&place, range.upperBound)
            switch key & 7 {
            case 0: _ = try number(&place, range.upperBound)
            case 1: place += 8
            case 2:
                let length = try number(&place, range.upperBound)
                guard length <= UInt64(range.upperBound - place) else { throw .malformed("frame") }
                let end = place + Int(length)
                if let inner = part.part(in: key >> 3) {
                    counts[inner.rawValue] += 1
                    guard counts[inner.rawValue] <= inner.limit else { throw .malformed("number of parts") }
                    try walk(inner, place..<end)
                }
                place = end
            case 5: place += 4
            // Groups: no version writes them.
            default: throw .malformed("frame")
            }
            guard place <= range.upperBound else { throw .malformed("frame") }
        }
    }

    private func number(_ place: inout Int, _ end: Int) throws(FrameError) -> UInt64 {
        var value: UInt64 = 0
        // A number has ten octets at most.
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard place < end else { break }
            let octet = octets[place]
            place += 1
            value |= UInt64(octet & 0x7F) << shift
            if octet < 0x80 { return value }
        }
        throw .malformed("frame")
    }
}
