import AdminClient
import AdminProtocol
import ArgumentParser
import MailValues
import Membership

/// `chappe leave`: a node gives its queue to the others, and goes.
struct LeaveCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "leave", abstract: "A node gives its queue to the other members, and leaves them.",
        discussion: """
            It stops taking mail, then hands over every message and waits until each has an owner that stored it. \
            Exits 0 only then. An heir may be away for a while; a node that is itself started anew takes part again and \
            is to be told once more, unless it was told by --node. Said again meanwhile, it shows how far it is.
            """)

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @OptionGroup var other: OtherMemberOptions

    @Option(name: .long, help: "Why: goes into the record.")
    var reason = "told to leave"

    @Flag(name: .long, help: "Begin, and do not wait for the end.")
    var noWait = false

    @Flag(name: .long, help: "Stay after all. What was handed over stays where it is.")
    var stay = false

    private static let pause: Duration = .milliseconds(500)

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let ordered = try other.order(
            .leave, stay ? "stays" : "leaves", isLifted: stay, reason: reason, client, form, on: screen)
        if let ordered { return stay ? .ok : noWait ? .partial : try watch(ordered, client, on: screen) }
        let request = LeaveRequest(reason: reason)
        if stay {
            let progress: LeaveProgress = try client.send(request, to: "leave", method: "DELETE")
            try screen.answer(form, progress, page: LeavePage.lines(progress))
            return progress.phase == .staying ? .ok : .partial
        }
        let progress = try follow(client.send(request, to: "leave"), client, on: screen)
        try screen.answer(form, progress, page: LeavePage.lines(progress))
        return progress.phase == .left && progress.waiting == 0 ? .ok : .partial
    }

    /// Until it has left, or somebody had it stay.
    private func follow(
        _ first: LeaveProgress, _ client: AdminClient, on screen: Screen
    ) throws -> LeaveProgress {
        let gauge = Gauge(on: screen)
        defer { gauge.clear() }
        var progress = first
        var told: String?
        while !noWait, progress.phase != .left, progress.phase != .staying {
            if let obstacle = progress.obstacle, obstacle != told {
                gauge.clear()
                screen.warn(Table.harmless("chappe: it does not go on: \(obstacle)"))
                told = obstacle
            }
            gauge.show(Table.harmless(LeavePage.brief(progress)))
            guard screen.pause(Self.pause) != nil else { break }
            do throws(AdminClient.Failure) {
                progress = try client.get("leave")
            } catch {
                gauge.clear()
                // It was evicted meanwhile, for instance.
                if case .problem(let problem) = error, problem.code == .refused { throw error }
                let rest = Wording.count(progress.waiting, "message")
                throw Complaint(
                    "\(Complaint(error).message); when last heard of, \(rest) had no other owner. Nothing is lost: "
                        + "once it runs again, say `chappe leave` again", .unreachable)
            }
        }
        return progress
    }

    /// Until another member has left, as this one sees it.
    private func watch(_ row: MemberRow, _ client: AdminClient, on screen: Screen) throws -> Outcome {
        let gauge = Gauge(on: screen)
        defer { gauge.clear() }
        while screen.pause(Self.pause) != nil {
            let list: MemberList = try client.get("cluster/members")
            guard let now = list.members.first(where: { $0.node == row.node }), now.state != .left else {
                gauge.clear()
                if form.isTable && !form.quiet { screen.say(Table.harmless("\(row.name) has left")) }
                return .ok
            }
            let queue = now.load.map { Wording.count($0.queuedMessages, "message") } ?? "an unknown number"
            gauge.show(Table.harmless("\(row.name) \(now.letters): \(queue) in its queue"))
        }
        return .partial
    }
}

/// How far a leaving node is, for people.
enum LeavePage {
    static func lines(_ progress: LeaveProgress) -> [String] {
        var lines = [brief(progress)]
        for heir in progress.heirs {
            lines.append("  \(heir.name) took \(Wording.count(heir.messages, "message"))")
        }
        if let obstacle = progress.obstacle { lines.append("It does not go on: \(obstacle)") }
        return lines.map(Table.harmless)
    }

    static func brief(_ progress: LeaveProgress) -> String {
        if progress.phase == .staying { return "stays in the cluster" }
        var words = [
            "\(Wording.count(progress.handedOver)) of \(Wording.count(progress.messages, "message")) handed over",
            "\(Wording.count(progress.delivered)) delivered", "\(Wording.count(progress.bounced)) bounced",
        ]
        if progress.waiting > 0 {
            words.append("\(Wording.count(progress.waiting)) without another owner yet")
        }
        return "\(progress.phase.words): \(words.joined(separator: ", "))"
    }
}

extension LeaveProgress.Phase {
    fileprivate var words: String {
        switch self {
        case .staying: "stays"
        case .stoppingIntake: "stops taking mail"
        case .giving: "hands over"
        case .confirming: "compares with the heirs"
        case .bequeathing: "leaves its testament"
        case .signing: "signs off"
        case .left: "has left"
        }
    }
}
