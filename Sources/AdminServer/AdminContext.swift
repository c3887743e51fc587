import AdminProtocol
import Hummingbird
import NIOCore

/// What a route knows of its request besides the request.
struct AdminContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    /// Set by `CallerMiddleware`, before any route.
    var caller: Caller?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    var maxUploadSize: Int { AdminAPI.requestOctets }
}

/// Asks the kernel who is at the other end, and lets in nobody whom it does not know.
struct CallerMiddleware: RouterMiddleware {
    typealias Context = AdminContext

    /// `struct ucred` of Linux, which Glibc shows to C programs with _GNU_SOURCE only.
    private struct Credentials {
        var pid: Int32 = 0
        var uid: UInt32 = .max
        var gid: UInt32 = .max
    }

    /// Linux's number of SO_PEERCRED.
    private static let peerCredentials = NIOBSDSocket.Option(rawValue: 17)

    func handle(
        _ request: Request, context: AdminContext, next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        guard let socket = context.channel as? any SocketOptionProvider else {
            return AdminProblem(.internalError, "the connection is no socket").response
        }
        let future: EventLoopFuture<Credentials> = socket.unsafeGetSocketOption(
            level: .socket, name: Self.peerCredentials)
        guard let peer = try? await future.get(), peer.uid != .max else {
            return AdminProblem(.forbidden, "the kernel does not say who you are").response
        }
        var context = context
        context.caller = Caller(uid: peer.uid, gid: peer.gid, pid: peer.pid)
        return try await next(request, context)
    }
}
