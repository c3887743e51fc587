import AdminProtocol
import HTTPTypes
import Hummingbird
import NIOCore

/// `GET /v1/queue/<id>/raw`: what is in a message, for those who may read other people's mail.
struct RawRoutes {
    let backend: any AdminBackend
    let readers: Set<UInt32>

    func add(to routes: RouterGroup<AdminContext>) {
        routes.get("queue/:id/raw") { _, context in try await raw(context) }
    }

    private func raw(_ context: AdminContext) async throws -> Response {
        let caller = try context.knownCaller
        guard readers.contains(caller.uid) else {
            throw AdminProblem(
                .forbidden, "user \(caller.uid) may not read messages",
                advice: "this is a right apart: root has it, and who is listed in the node's configuration")
        }
        let id = try context.queueID
        guard let message = try await backend.rawMessage(id, for: caller) else {
            throw AdminProblem.notQueued(id)
        }
        let body = ResponseBody(contentLength: message.sizeOctets) { writer in
            var number = 0
            while let piece = try await message.piece(number) {
                try await writer.write(ByteBuffer(bytes: piece))
                number += 1
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "message/rfc822"], body: body)
    }
}
