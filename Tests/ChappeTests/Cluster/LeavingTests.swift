import AdminProtocol
import AdminSupport
import Glibc
import MailValues
import Membership
import Testing

@testable import chappe

@Suite("chappe, leaving and waiting")
struct LeavingTests {
    private static func progress(_ phase: LeaveProgress.Phase, obstacle: String? = nil) -> LeaveProgress {
        let isOver = phase == .left
        return LeaveProgress(
            phase: phase, messages: 84_211, handedOver: isOver ? 84_000 : 100, delivered: 200, bounced: 11,
            waiting: isOver ? 0 : 83_900,
            heirs: isOver ? [.init(name: "relay-2", messages: 84_000)] : [], obstacle: obstacle)
    }

    private static let again: CommandRun.Wait = { _ in CommandRun.now }

    @Test("leave ends well only when every message has another owner")
    func leaves() async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with {
                $0.leaving = [
                    Self.progress(.stoppingIntake), Self.progress(.giving, obstacle: "no heir is up"),
                    Self.progress(.giving, obstacle: "no heir is up"), Self.progress(.left),
                ]
            }
            let run = try await CommandRun.of(
                ["leave", "--reason", "old machine"], cluster: two.cluster, wait: Self.again)
            #expect(run.outcome == .ok)
            #expect(
                run.output == """
                    has left: 84,000 of 84,211 messages handed over, 200 delivered, 11 bounced
                      relay-2 took 84,000 messages

                    """)
            #expect(run.errors == "chappe: it does not go on: no heir is up\n")
            #expect(two.cluster.deeds == ["leave by operator:\(getuid()): old machine"])
        }
    }

    @Test(
        "leave that is not waited for, or not over, or taken back, is not done",
        arguments: [
            (["leave", "--no-wait"], LeaveProgress.Phase.giving, Outcome.partial),
            (["leave"], .giving, .partial), (["leave"], .staying, .partial),
            (["leave", "--stay"], .staying, .ok), (["leave", "--stay"], .signing, .partial),
            (["leave"], .left, .ok), (["leave", "--no-wait"], .left, .ok),
        ])
    func unfinished(_ arguments: [String], _ phase: LeaveProgress.Phase, _ outcome: Outcome) async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with { $0.leaving = [Self.progress(phase)] }
            let run = try await CommandRun.of(arguments, cluster: two.cluster)
            #expect(run.outcome == outcome)
            #expect(two.cluster.deeds.count == 1)
        }
    }

    @Test("who has left, and holds mail that came since, has not given everything away")
    func leftWithMail() async throws {
        try await ClusterOfTwo.with { two in
            var progress = Self.progress(.left)
            progress.waiting = 200
            two.cluster.with { $0.leaving = [progress] }
            let run = try await CommandRun.of(["leave"], cluster: two.cluster)
            #expect(run.outcome == .partial)
            #expect(run.output.contains("200 without another owner yet"), "\(run.output)")
        }
    }

    @Test("who is evicted while it leaves hears why it cannot")
    func evictedMeanwhile() async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with { $0.leaving = [Self.progress(.giving)] }
            let run = try await CommandRun.of(["leave"], cluster: two.cluster) { _ in
                two.cluster.with { $0.failure = AdminProblem(.refused, "this node was evicted") }
                return CommandRun.now
            }
            #expect(run.outcome == .refused)
            #expect(run.errors == "chappe: this node was evicted\n")
        }
    }

    @Test("a node that falls silent while it leaves has not left")
    func silent() async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with { $0.leaving = [Self.progress(.giving)] }
            let run = try await CommandRun.of(["leave"], cluster: two.cluster) { _ in
                two.cluster.with { $0.failure = AdminProblem(.unavailable, "the node stops") }
                return CommandRun.now
            }
            #expect(run.outcome == .unreachable)
            #expect(run.errors.contains("83,900 messages had no other owner"))
        }
    }

    @Test("another member is told to leave by an order, and is waited for")
    func other() async throws {
        try await ClusterOfTwo.with { two in
            let run = try await two.run(["leave", "--node", "relay-2"]) { _ in
                two.cluster.with { $0.list.members[1].state = .left }
                return CommandRun.now
            }
            #expect(run.outcome == .ok)
            #expect(run.output.hasSuffix("relay-2 has left\n"))
            #expect(try two.orders.map(\.subject.kind) == [.leave])
            let unwatched = try await two.run(["leave", "--node", "relay-2", "--no-wait"])
            #expect(unwatched.outcome == .partial)
        }
    }

    @Test(
        "can-stop and doctor say what they found, the worst first, and end as it is",
        arguments: ["can-stop", "doctor"])
    func checkup(_ command: String) async throws {
        try await ClusterOfTwo.with { two in
            let fine = try await CommandRun.of([command], cluster: two.cluster)
            #expect(fine.outcome == .ok)
            two.cluster.with {
                $0.checkup = Checkup([
                    .init(.ok, "clocks agree within 12 ms"),
                    .init(
                        .degraded, "relay-2 has an older set", advice: "wait, or chappe force-leave relay-2"),
                ])
            }
            let run = try await CommandRun.of([command], cluster: two.cluster)
            #expect(run.outcome == .partial)
            #expect(
                run.output == """
                    WARN  relay-2 has an older set
                          -> wait, or chappe force-leave relay-2
                    ok    clocks agree within 12 ms

                    """)
            two.cluster.with { $0.checkup.findings.append(.init(.critical, "two nodes have one key")) }
            #expect(try await CommandRun.of([command, "-q"], cluster: two.cluster).outcome == .refused)
        }
    }

    @Test(
        "await healthy goes on until node and members are well, and nobody is in doubt; who has left is no doubt",
        arguments: MemberRow.State.allCases.filter { $0 != .alive })
    func awaits(_ state: MemberRow.State) async throws {
        try await ClusterOfTwo.with { two in
            let backend = FakeBackend()
            var members = two.cluster.with(\.list).members
            members[1].state = state
            let sick = NodeStatus.Cluster(
                members: members, queuedMessages: 0, acceptedPerMinute: 0, orders: 0, blocks: 0, verdicts: 0)
            backend.with { $0.cluster = sick }
            let early = try await CommandRun.of(["await", "healthy", "--timeout", "0"], backend)
            guard state != .left else {
                #expect(early.outcome == .ok && early.output == "so it is\n", "\(early.output)")
                return
            }
            #expect(early.outcome == .partial)
            #expect(early.output == "not yet: relay-2 is \(state.rawValue)\n")
            let late = try await CommandRun.of(["await", "healthy"], backend) { _ in
                backend.with { $0.cluster?.members[1].state = .alive }
                return CommandRun.now
            }
            #expect(late.outcome == .ok)
        }
    }

    @Test("await version waits for every member, and for a node that is away")
    func awaitsVersion() async throws {
        try await ClusterOfTwo.with { two in
            let backend = FakeBackend()
            let members = two.cluster.with(\.list).members
            backend.with { state in
                state.cluster = NodeStatus.Cluster(
                    members: members, queuedMessages: 0, acceptedPerMinute: 0, orders: 0, blocks: 0,
                    verdicts: 0)
                state.failure = AdminProblem(.unavailable, "starting")
            }
            let away = try await CommandRun.of(["await", "version=0.4.0", "--timeout", "0"], backend)
            #expect(away.outcome == .unreachable)
            let run = try await CommandRun.of(["await", "version=0.4.0"], backend) { _ in
                backend.with { state in
                    state.failure = nil
                    for index in members.indices { state.cluster?.members[index].load?.version = "0.4.0" }
                }
                return CommandRun.now
            }
            #expect(run.outcome == .ok)
        }
    }

    @Test("await shadowed says that there are no copies; what is no goal is refused")
    func awaitsNothing() async throws {
        let shadowed = try await CommandRun.of(["await", "shadowed"])
        #expect(shadowed.outcome == .usage && shadowed.errors.contains("no copies"))
        #expect(try await CommandRun.of(["await", "version="]).outcome == .usage)
    }

    @Test("rotate-link-key says who has not confirmed")
    func rotates() async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with { $0.rotation = RotationAnswer(serial: 7, waiting: ["relay-2"]) }
            let run = try await CommandRun.of(["rotate-link-key"], cluster: two.cluster)
            #expect(run.outcome == .ok)
            #expect(
                run.output == """
                    link key 7 is used from now
                    not confirmed yet by relay-2: until then the old key is good too

                    """)
        }
    }
}
