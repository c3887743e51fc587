/// Cuts the body of a multipart entity at its delimiter lines (RFC 2046 §5.1.1).
enum MultipartReader {
    /// The parts, headers included, without the line end before each delimiter; at most `limit`.
    static func parts(of body: ArraySlice<UInt8>, boundary: String, limit: Int) -> [ArraySlice<UInt8>] {
        let delimiter = Array("--\(boundary)".utf8)
        var parts: [ArraySlice<UInt8>] = []
        var partStart: Int?
        var lineStart = body.startIndex
        while lineStart < body.endIndex {
            let lineEnd = body[lineStart...].firstIndex(of: 0x0A).map { $0 + 1 } ?? body.endIndex
            let line = body[lineStart..<lineEnd]
            if line.starts(with: delimiter) {
                let rest = line.dropFirst(delimiter.count).drop { $0 == 0x2D }
                if rest.allSatisfy({ $0.isBlank || $0 == 0x0D || $0 == 0x0A }) {
                    if let partStart { parts.append(withoutLineEnd(body[partStart..<lineStart])) }
                    let isLast = line.dropFirst(delimiter.count).starts(with: [0x2D, 0x2D])
                    guard !isLast, parts.count < limit else { return parts }
                    partStart = lineEnd
                }
            }
            lineStart = lineEnd
        }
        // A message that breaks off still shows what came.
        if let partStart, partStart < body.endIndex { parts.append(body[partStart...]) }
        return parts
    }

    private static func withoutLineEnd(_ part: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        if part.last == 0x0A { return part.dropLast().last == 0x0D ? part.dropLast(2) : part.dropLast() }
        return part
    }
}
