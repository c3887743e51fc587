import AdminProtocol
import FoundationEssentials
import Hummingbird
import MailValues
import NIOCore

/// `GET /v1/explain/<id>`: the whole history of a message, of one that is gone too.
struct ExplainRoutes {
    let backend: any AdminBackend

    func add(to routes: RouterGroup<AdminContext>) {
        routes.get("explain/:id") { _, context in try await explanation(context.queueID) }
    }

    private func explanation(_ id: QueueID) async throws -> Response {
        let lines = try await backend.ledger(id)
        let entry = try await backend.queueEntry(id)
        guard !lines.isEmpty || entry != nil else {
            throw AdminProblem(
                .notFound, "this node has never heard of \(id), or has forgotten it",
                advice: "look in the event files of the days around \(id.time.rfc3339)")
        }
        // Lines are spliced in as they were written: a reader sees the fields in the order in which they were
        // recorded.
        var body = ByteBuffer(string: "{\"schema\":\(AdminAPI.schema),\"id\":\"\(id)\",")
        if let entry { body.writeString("\"entry\":\(try Self.json(entry)),") }
        body.writeString("\"events\":[")
        for (index, line) in lines.enumerated() {
            if index > 0 { body.writeString(",") }
            body.writeBytes(try Self.sound(line))
        }
        body.writeString("]}")
        return .octetsOfJSON(body)
    }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// The line itself or, if it cannot be read, an event that says so: one bad line must not hide the
    /// others.
    private static func sound(_ line: [UInt8]) throws -> [UInt8] {
        if (try? JSONDecoder().decode(EventRecord.self, from: Data(line))) != nil { return line }
        let text = String(decoding: line.prefix(1000), as: UTF8.self)
        return Array(try json(EventRecord(at: nil, kind: "unreadable", fields: ["text": .text(text)])).utf8)
    }
}
