import AdminClient
import AdminProtocol
import ArgumentParser

/// What all commands that change the queue share: they count first, ask if it is much, and say what they did.
protocol QueueChangeCommand: NodeCommand {
    var change: ChangeOptions { get }
    static var action: QueueAction { get }
    /// Given where the operator need not say why.
    static var usualReason: String? { get }
}

struct ChangeOptions: ParsableArguments {
    @OptionGroup var form: OutputOptions
    @OptionGroup var filter: FilterOptions

    @Option(name: .long, help: "Why: goes into the record.")
    var reason: String?

    @Flag(name: .long, help: "Count, and change nothing.")
    var dryRun = false

    @Flag(name: [.customShort("y"), .long], help: "Do not ask.")
    var yes = false
}

extension QueueChangeCommand {
    /// More messages than this want a yes.
    static var unaskedMost: Int { 100 }

    func validate() throws {
        guard change.dryRun || change.reason != nil || Self.usualReason != nil else {
            throw ValidationError("--reason is missing: say why, it goes into the record")
        }
    }

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let filters = try change.filter.filters
        guard !filters.contains(where: \.isEmpty) else {
            throw Complaint("no message is named: give ids, a filter, or --all", .usage)
        }
        let planned = try plan(filters, client)
        if change.dryRun || planned.matched == 0 {
            try tell(planned, on: screen)
            return planned.matched == 0 ? .partial : .ok
        }
        try confirm(planned.matched, on: screen)
        let done = try send(filters, dryRun: false, client)
        try tell(done, on: screen)
        return done.changed < done.matched ? .partial : .ok
    }

    /// Counts. A short id that several messages begin with was meant for one of them: nothing is done to any.
    private func plan(_ filters: [QueueFilter], _ client: AdminClient) throws -> QueueChangeAnswer {
        var sum = QueueChangeAnswer(action: Self.action, dryRun: true, matched: 0, changed: 0, ids: [])
        for filter in filters {
            let planned = try send([filter], dryRun: true, client)
            if let id = filter.id, planned.matched > 1 {
                throw Complaint(
                    "\(Wording.count(planned.matched, "message")) begin with \(id): give more of the id",
                    .refused)
            }
            sum.add(planned)
        }
        return sum
    }

    private func confirm(_ count: Int, on screen: Screen) throws {
        guard count > Self.unaskedMost, !change.yes else { return }
        let plan = "\(Self.action.rawValue) \(Wording.count(count, "message"))"
        guard screen.hasPerson else { throw Complaint("will not \(plan) unasked: add --yes", .refused) }
        guard screen.confirms("\(plan)?") else { throw Complaint("nothing was changed", .refused) }
    }

    private func send(
        _ filters: [QueueFilter], dryRun: Bool, _ client: AdminClient
    ) throws -> QueueChangeAnswer {
        var sum = QueueChangeAnswer(action: Self.action, dryRun: dryRun, matched: 0, changed: 0, ids: [])
        for filter in filters {
            let request = QueueChangeRequest(
                filter: filter, reason: change.reason ?? Self.usualReason ?? "", dryRun: dryRun)
            let answer: QueueChangeAnswer = try client.send(request, to: "queue/\(Self.action.rawValue)")
            sum.add(answer)
        }
        return sum
    }

    private func tell(_ answer: QueueChangeAnswer, on screen: Screen) throws {
        try screen.answer(change.form, answer, brief: answer.ids, page: [Self.sentence(answer)])
    }

    static func sentence(_ answer: QueueChangeAnswer) -> String {
        let matched = Wording.count(answer.matched, "message")
        if answer.matched == 0 { return "no message fits" }
        let verb = answer.dryRun ? "would \(answer.action.rawValue)" : answer.action.past
        if answer.changed == answer.matched { return "\(verb) \(matched)" }
        let count = answer.changed == 0 ? "none" : Wording.count(answer.changed)
        return "\(verb) \(count) of \(matched): \(obstacle(answer))"
    }

    private static func obstacle(_ answer: QueueChangeAnswer) -> String {
        let moving = "what is being delivered, or is so already, stays as it is"
        let rest = answer.matched - answer.changed
        let unfit = min(answer.inapplicable ?? 0, rest)
        guard unfit > 0, let state = answer.action.standing(unfit) else { return moving }
        return unfit == rest ? state : "\(state); \(moving)"
    }
}

extension QueueChangeAnswer {
    fileprivate mutating func add(_ other: QueueChangeAnswer) {
        matched += other.matched
        changed += other.changed
        if let more = other.inapplicable { inapplicable = (inapplicable ?? 0) + more }
        ids += other.ids
    }
}

extension QueueAction {
    var past: String {
        switch self {
        case .hold: "held"
        case .release: "released"
        case .retry: "made due"
        case .bounce: "bounced"
        case .delete: "deleted"
        }
    }

    /// How messages stand that it does not change; nil: it changes them all.
    fileprivate func standing(_ count: Int) -> String? {
        let are = "\(Wording.count(count)) \(count == 1 ? "is" : "are")"
        return switch self {
        case .hold: "\(are) held already"
        case .release: "\(are) not held"
        case .retry: "\(are) held, and not tried before `chappe queue release`"
        case .bounce, .delete: nil
        }
    }
}
