/// Why a request was not carried out: the body of every answer that is not 200.
package struct AdminProblem: Error, Hashable, Sendable, Codable {
    package enum Code: String, Sendable, Codable, CaseIterable {
        /// The request makes no sense, and never will.
        case badRequest
        /// Who asks may not.
        case forbidden
        /// There is no such message, or no such page.
        case notFound
        /// A safety check says no; `advice` says what would change that.
        case refused
        /// The node cannot now: starting, stopping, or its store is sick.
        case unavailable
        /// Our own mistake.
        case internalError
    }

    package var schema = AdminAPI.schema
    package var code: Code
    /// What happened, and where.
    package var message: String
    /// What to do about it.
    package var advice: String?

    package init(_ code: Code, _ message: String, advice: String? = nil) {
        self.code = code
        self.message = message
        self.advice = advice
    }
}

extension AdminProblem: CustomStringConvertible {
    package var description: String { advice.map { "\(message): \($0)" } ?? message }
}
