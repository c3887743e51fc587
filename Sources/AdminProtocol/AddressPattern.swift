/// An address as an operator names it: whole, `@domain`, `<>` for none, or with `*` for any run of
/// characters.
///
/// Case does not count: an operator who looks for `Bob@Example.org` means bob.
package struct AddressPattern: Hashable, Sendable {
    private let pieces: [[UInt8]]

    package init(_ text: String) {
        let lowered = Array(text.lowercased().utf8)
        let whole: [UInt8] =
            lowered == Array("<>".utf8) ? [] : lowered.first == 0x40 ? [0x2A] + lowered : lowered
        pieces = whole.split(separator: 0x2A, omittingEmptySubsequences: false).map(Array.init)
    }

    package func matches(_ address: String) -> Bool {
        var rest = Array(address.lowercased().utf8)[...]
        guard let first = pieces.first, let last = pieces.last else { return rest.isEmpty }
        guard pieces.count > 1 else { return rest.elementsEqual(first) }
        guard rest.starts(with: first) else { return false }
        rest = rest.dropFirst(first.count)
        for piece in pieces.dropFirst().dropLast() {
            // The earliest place is as good as any, so no way back is needed and the time is bounded.
            guard let end = Self.end(of: piece, in: rest) else { return false }
            rest = rest[end...]
        }
        return rest.count >= last.count && rest.suffix(last.count).elementsEqual(last)
    }

    private static func end(of piece: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
        guard !piece.isEmpty else { return text.startIndex }
        guard piece.count <= text.count else { return nil }
        for start in text.startIndex...(text.endIndex - piece.count)
        where text[start..<(start + piece.count)].elementsEqual(piece) { return start + piece.count }
        return nil
    }
}
