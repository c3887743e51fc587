/// What the Content- fields of a part say about it (RFC 2045 §5, §6, RFC 2183).
struct PartHeader {
    enum Content: Equatable {
        case multipart(boundary: [UInt8], isDigest: Bool)
        /// A message within the message (RFC 2046 §5.2.1).
        case message
        case leaf(MIMEWalk.LeafKind)
    }

    let content: Content
    let encoding: TransferDecoder.Encoding

    /// - Parameters:
    ///   - fields: whole lines, folded as they came.
    ///   - isInDigest: in multipart/digest a part is a message unless it says otherwise (RFC 2046 §5.1.5).
    init(_ fields: [UInt8], isInDigest: Bool) {
        var type: ContentType?
        var encoding = TransferDecoder.Encoding.identity
        var isAttached = false
        Self.each(fields) { name, value in
            if name.equalsIgnoringCase("content-type".utf8) {
                if type == nil { type = ContentType(value) }
            } else if name.equalsIgnoringCase("content-transfer-encoding".utf8) {
                encoding = Self.encoding(value)
            } else if name.equalsIgnoringCase("content-disposition".utf8) {
                isAttached = Self.isAttached(value)
            }
        }
        self.encoding = encoding
        let name = type?.name ?? (isInDigest ? "message/rfc822" : "text/plain")
        if name.hasPrefix("multipart/"), encoding == .identity, let boundary = type?.parameters["boundary"],
            !boundary.isEmpty
        {
            content = .multipart(boundary: Array(boundary.utf8), isDigest: name == "multipart/digest")
        } else if ["message/rfc822", "message/global"].contains(name), encoding == .identity, !isAttached {
            content = .message
        } else {
            content = .leaf(name.hasPrefix("text/") && !isAttached ? .text : .attachment)
        }
    }

    private static func each(_ fields: [UInt8], _ body: (ArraySlice<UInt8>, ArraySlice<UInt8>) -> Void) {
        var start = 0
        while start < fields.count {
            var end = start
            repeat {
                end = fields[end...].firstIndex(of: 0x0A).map { $0 + 1 } ?? fields.count
            } while end < fields.count && fields[end].isBlank
            let field = fields[start..<end]
            if let colon = field.firstIndex(of: 0x3A) {
                var name = field[..<colon]
                while name.last?.isBlank == true { name = name.dropLast() }
                body(name, field[(colon + 1)...])
            }
            start = end
        }
    }

    private static func encoding(_ value: ArraySlice<UInt8>) -> TransferDecoder.Encoding {
        var lexer = FieldLexer(value)
        guard lexer.skipCFWS() else { return .identity }
        let word = lexer.run { $0.isTokenText }
        if word.equalsIgnoringCase("base64".utf8) { return .base64 }
        return word.equalsIgnoringCase("quoted-printable".utf8) ? .quotedPrintable : .identity
    }

    /// What has a file's name is a file, however it asks to be shown.
    private static func isAttached(_ value: ArraySlice<UInt8>) -> Bool {
        var lexer = FieldLexer(value)
        guard lexer.skipCFWS() else { return false }
        if lexer.run(while: { $0.isTokenText }).equalsIgnoringCase("attachment".utf8) { return true }
        let wanted = Array("filename".utf8)
        let lower = value.map(\.loweredASCII)
        return lower.indices.contains { lower[$0...].starts(with: wanted) }
    }
}
