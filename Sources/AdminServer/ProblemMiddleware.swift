import AdminProtocol
import HTTPTypes
import Hummingbird

/// Gives every failure the one form in which clients expect it.
struct ProblemMiddleware: RouterMiddleware {
    typealias Context = AdminContext

    func handle(
        _ request: Request, context: AdminContext, next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as AdminProblem {
            return problem.response
        } catch let error as HTTPError {
            return Self.problem(error, request).response
        } catch {
            return AdminProblem(.internalError, "\(error)").response
        }
    }

    private static func problem(_ error: HTTPError, _ request: Request) -> AdminProblem {
        switch error.status {
        case .notFound: AdminProblem(.notFound, "there is no \(request.method.rawValue) \(request.uri.path)")
        default: AdminProblem(.badRequest, error.body ?? error.status.reasonPhrase)
        }
    }
}

extension AdminProblem {
    var response: Response { .json(self, status: status) }

    private var status: HTTPResponse.Status {
        switch code {
        case .badRequest: .badRequest
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .refused: .conflict
        case .unavailable: .serviceUnavailable
        case .internalError: .internalServerError
        }
    }
}
