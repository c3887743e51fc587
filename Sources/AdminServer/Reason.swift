import AdminProtocol

/// Why an operator does something: given, of bounded length, on one line.
enum Reason {
    static func checked(_ reason: String) throws(AdminProblem) -> String {
        let words = reason.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !words.isEmpty else {
            throw AdminProblem(
                .badRequest, "a reason is missing", advice: "say --reason \"…\": it goes into the record")
        }
        guard words.utf8.count <= AdminAPI.reasonOctets else {
            throw AdminProblem(.badRequest, "the reason is longer than \(AdminAPI.reasonOctets) octets")
        }
        guard !words.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw AdminProblem(.badRequest, "the reason holds control characters")
        }
        return words
    }
}
