/// The authserv-id with which an Authentication-Results field begins (RFC 8601 §2.2), in lower case.
///
/// What claims to be ours must be found however it is dressed up, because readers behind us trust the id:
/// comments and folding stand before and inside of it, it may be quoted, and a final dot is dropped. nil:
/// there is none.
func authenticationServiceID(_ value: ArraySlice<UInt8>) -> [UInt8]? {
    var lexer = FieldLexer(value)
    var id: [UInt8] = []
    guard lexer.skipCFWS() else { return nil }
    if lexer.next == 0x22 {
        guard let quoted = lexer.quotedString() else { return nil }
        id = quoted
    } else {
        repeat {
            id += lexer.run { $0.isTokenText }
            // `mx . example.org`: only the obsolete syntax allows it, but a lenient reader joins the parts.
            guard lexer.skipCFWS() else { break }
        } while lexer.next.map { ($0 == 0x2E || id.last == 0x2E) && $0.isTokenText } ?? false
    }
    while id.last == 0x2E { id.removeLast() }
    return id.isEmpty ? nil : id.map(\.loweredASCII)
}
