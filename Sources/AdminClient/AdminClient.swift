package import AdminProtocol
import FoundationEssentials
import Glibc

/// The other end of the admin socket. One request a connection; calls block, because a command has nothing
/// else to do.
package struct AdminClient: Sendable {
    package enum Failure: Error, Sendable, Equatable {
        /// Nobody answers at the socket.
        case unreachable(path: String, reason: String)
        /// Somebody answers, but it makes no sense.
        case notUnderstood(path: String, detail: String)
        case problem(AdminProblem)
    }

    package let path: String
    /// Silence of the node after which we give up.
    package let timeout: Duration

    package init(path: String = AdminAPI.socketPath, timeout: Duration = .seconds(60)) {
        self.path = path
        self.timeout = timeout
    }

    package func get<Answer: Decodable>(
        _ resource: String, query: [(name: String, value: String)] = []
    ) throws(Failure)
        -> Answer
    {
        try decoded(octets(resource, query: query))
    }

    package func send<Answer: Decodable>(
        _ body: some Encodable, to resource: String, method: String = "POST"
    )
        throws(Failure) -> Answer
    {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        guard let octets = try? encoder.encode(body) else {
            throw .notUnderstood(path: path, detail: "the request cannot be written as JSON")
        }
        return try decoded(answer(method, resource, query: [], body: Array(octets)))
    }

    /// The body of the answer as it came.
    package func octets(
        _ resource: String, query: [(name: String, value: String)] = []
    ) throws(Failure) -> [UInt8] {
        try answer("GET", resource, query: query, body: [])
    }

    private func answer(
        _ method: String, _ resource: String, query: [(name: String, value: String)], body: [UInt8]
    ) throws(Failure) -> [UInt8] {
        let request = HTTPRequestText.octets(
            method: method, path: AdminAPI.root + "/" + resource, query: query, body: body)
        let received = try UnixConnection.exchange(request, path: path, timeout: timeout)
        let response: HTTPAnswer
        do {
            response = try HTTPAnswer(received)
        } catch {
            throw .notUnderstood(path: path, detail: "\(error)")
        }
        guard response.status == 200 else { throw failure(response) }
        return response.body
    }

    private func failure(_ response: HTTPAnswer) -> Failure {
        if let problem = try? JSONDecoder().decode(AdminProblem.self, from: Data(response.body)) {
            return .problem(problem)
        }
        return .notUnderstood(path: path, detail: "status \(response.status) without a reason")
    }

    private func decoded<Answer: Decodable>(_ octets: [UInt8]) throws(Failure) -> Answer {
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(octets))
        } catch {
            throw .notUnderstood(path: path, detail: "\(error)")
        }
    }
}
