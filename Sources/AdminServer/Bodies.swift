import AdminProtocol
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let octets = try? encoder.encode(value) else { return Response(status: .internalServerError) }
        return octetsOfJSON(ByteBuffer(bytes: octets), status: status)
    }

    static func octetsOfJSON(_ octets: ByteBuffer, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: octets))
    }

    static func text(
        _ text: String, type: String = "text/plain; charset=utf-8", status: HTTPResponse.Status = .ok
    )
        -> Response
    {
        Response(
            status: status, headers: [.contentType: type],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

extension Request {
    /// The body as a value; says what is wrong with it in words of JSON.
    func body<Value: Decodable>(_ type: Value.Type) async throws -> Value {
        var request = self
        let octets: ByteBuffer
        do {
            octets = try await request.collectBody(upTo: AdminAPI.requestOctets)
        } catch is NIOTooManyBytesError {
            throw AdminProblem(.badRequest, "the request is longer than \(AdminAPI.requestOctets) octets")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(octets.readableBytesView))
        } catch let problem as AdminProblem {
            throw problem
        } catch {
            throw AdminProblem(.badRequest, "the request's body cannot be read", advice: "\(error)")
        }
    }

    /// Pairs of the query, in order, decoded.
    var queryPairs: [(name: String, value: String)] {
        uri.queryParameters.map { (String($0.key), String($0.value)) }
    }
}

extension AdminContext {
    /// Who asks; `CallerMiddleware` has let nobody in without.
    var knownCaller: Caller {
        get throws(AdminProblem) {
            guard let caller else { throw AdminProblem(.internalError, "nobody asked who is calling") }
            return caller
        }
    }
}
