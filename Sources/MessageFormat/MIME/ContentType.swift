/// The value of a Content-Type field (RFC 2045 §5.1).
package struct ContentType: Sendable, Equatable {
    /// Parameters that are kept; no media type in use has half as many.
    static let parameterCount = 32

    /// `multipart/report`, in lower case.
    package let name: String
    /// By name in lower case; the first of a name counts.
    package private(set) var parameters: [String: String] = [:]

    package init?(_ value: ArraySlice<UInt8>) {
        var lexer = FieldLexer(value)
        guard lexer.skipCFWS() else { return nil }
        let type = lexer.run { $0.isTokenText }
        guard !type.isEmpty, lexer.skipCFWS(), lexer.take(0x2F), lexer.skipCFWS() else { return nil }
        let subtype = lexer.run { $0.isTokenText }
        guard !subtype.isEmpty else { return nil }
        name = String(
            decoding: type.map(\.loweredASCII) + [0x2F] + subtype.map(\.loweredASCII), as: UTF8.self)
        while lexer.skipCFWS(), lexer.take(0x3B), parameters.count < Self.parameterCount {
            guard let (name, value) = Self.parameter(&lexer) else { return }
            if parameters[name] == nil { parameters[name] = value }
        }
    }

    private static func parameter(_ lexer: inout FieldLexer) -> (String, String)? {
        guard lexer.skipCFWS() else { return nil }
        let name = lexer.run { $0.isTokenText }
        guard !name.isEmpty, lexer.skipCFWS(), lexer.take(0x3D), lexer.skipCFWS() else { return nil }
        let value: [UInt8]
        if lexer.next == 0x22 {
            guard let quoted = lexer.quotedString() else { return nil }
            value = quoted
        } else {
            value = Array(lexer.run { $0.isTokenText })
        }
        return (
            String(decoding: name.map(\.loweredASCII), as: UTF8.self), String(decoding: value, as: UTF8.self)
        )
    }
}
