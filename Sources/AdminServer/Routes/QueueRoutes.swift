import AdminProtocol
import Hummingbird
import MailValues

/// `GET /v1/queue`, `GET /v1/queue/summary`, `GET /v1/queue/<id>`, `POST /v1/queue/<action>`.
struct QueueRoutes {
    let backend: any AdminBackend

    func add(to routes: RouterGroup<AdminContext>) {
        let queue = routes.group("queue")
        queue.get { request, _ in .json(try await page(request)) as Response }
        queue.get("summary") { request, _ in .json(try await summary(request)) as Response }
        queue.get(":id") { _, context in .json(try await entry(context)) as Response }
        for action in QueueAction.allCases {
            queue.post(RouterPath(action.rawValue)) { request, context in
                .json(try await change(action, request, context)) as Response
            }
        }
    }

    private func page(_ request: Request) async throws -> QueuePage {
        var (filter, others) = try split(request, others: ["limit", "cursor"])
        // A list of everything is no danger, so it need not be said.
        filter.all = false
        let limit = try Self.number(
            others["limit"], or: AdminAPI.pageLimitDefault, upTo: AdminAPI.pageLimitLongest)
        return try await backend.queuePage(filter, limit: limit, cursor: others["cursor"])
    }

    private func summary(_ request: Request) async throws -> QueueSummary {
        let (filter, others) = try split(request, others: ["by", "limit"])
        let name = others["by"] ?? QueueSummary.Grouping.domain.rawValue
        guard let grouping = QueueSummary.Grouping(rawValue: name) else {
            let known = QueueSummary.Grouping.allCases.map(\.rawValue).joined(separator: ", ")
            throw AdminProblem(.badRequest, "nothing is grouped by \"\(name)\"", advice: "there are \(known)")
        }
        let limit = try Self.number(
            others["limit"], or: AdminAPI.pageLimitDefault, upTo: AdminAPI.pageLimitLongest)
        return try await backend.queueSummary(filter, by: grouping, limit: limit)
    }

    private func entry(_ context: AdminContext) async throws -> QueueEntryAnswer {
        let id = try context.queueID
        guard let entry = try await backend.queueEntry(id) else { throw AdminProblem.notQueued(id) }
        return QueueEntryAnswer(entry: entry)
    }

    private func change(
        _ action: QueueAction, _ request: Request, _ context: AdminContext
    ) async throws
        -> QueueChangeAnswer
    {
        var change = try await request.body(QueueChangeRequest.self)
        guard !change.filter.isEmpty else {
            throw AdminProblem(
                .badRequest, "no message is named",
                advice: "give an id or a filter, or --all for every message")
        }
        if !change.dryRun || !change.reason.isEmpty { change.reason = try Reason.checked(change.reason) }
        return try await backend.change(action, change, by: try context.knownCaller)
    }

    /// A filter, and the parameters that are none.
    private func split(_ request: Request, others: Set<String>) throws -> (QueueFilter, [String: String]) {
        let pairs = request.queryPairs
        let filter = try QueueFilter(pairs: pairs.filter { !others.contains($0.name) })
        let rest = pairs.filter { others.contains($0.name) }
        return (filter, Dictionary(rest.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }))
    }

    private static func number(
        _ text: String?, or fallback: Int, upTo longest: Int
    ) throws(AdminProblem) -> Int {
        guard let text else { return fallback }
        guard let number = Int(text), (1...longest).contains(number) else {
            throw AdminProblem(.badRequest, "limit cannot be \"\(text)\"", advice: "from 1 to \(longest)")
        }
        return number
    }
}

extension AdminContext {
    /// `:id` of the path.
    var queueID: QueueID {
        get throws {
            let text = parameters.get("id") ?? ""
            guard let id = QueueID(text) else {
                throw AdminProblem(
                    .badRequest, "\"\(text)\" is no id", advice: "an id has 26 letters and digits")
            }
            return id
        }
    }
}

extension AdminProblem {
    static func notQueued(_ id: QueueID) -> AdminProblem {
        AdminProblem(
            .notFound, "\(id) is not in the queue", advice: "chappe explain \(id) shows what became of it")
    }
}
