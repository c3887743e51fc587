import AdminProtocol
import AdminSupport
import MailValues
import Synchronization
import Testing

@testable import chappe

@Suite("chappe, looking at a cluster")
struct ClusterViewTests {
    @Test("members is a line each")
    func members() async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with { state in
                state.list.members[1].state = .draining
                state.list.members[1].load?.set = 4
            }
            let run = try await CommandRun.of(["members"], cluster: two.cluster)
            #expect(run.outcome == .ok)
            #expect(
                run.output == """
                    ST  NODE     ADDR            VER    CFG     QUEUE  IN/MIN  SET     NOTE
                    UN  relay-1  192.0.2.1:7946  0.3.0  7f3ac1  1,000      60  newest  this node
                    UD  relay-2  192.0.2.2:7946  0.3.0  7f3ac1  2,000      60  older

                    """)
            let names = try await CommandRun.of(["members", "-q"], cluster: two.cluster)
            #expect(names.output == "relay-1\nrelay-2\n")
        }
    }

    @Test("each state has two letters that scripts may trust", arguments: MemberRow.State.allCases)
    func letters(_ state: MemberRow.State) async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with { $0.list.members[1].state = state }
            let run = try await CommandRun.of(["members", "--no-headers"], cluster: two.cluster)
            let line = try #require(run.output.split(separator: "\n").last)
            #expect("UD".contains(line.prefix(1)) && "NJLDSQ".contains(line.prefix(2).suffix(1)))
        }
    }

    @Test("watched through a pipe, each change is a line")
    func watch() async throws {
        try await ClusterOfTwo.with { two in
            let looks = Mutex(0)
            let run = try await CommandRun.of(["members", "-w"], cluster: two.cluster) { _ in
                let look = looks.withLock { count in
                    count += 1
                    return count
                }
                if look == 2 { two.cluster.with { $0.list.members[1].state = .dead } }
                if look == 3 { two.cluster.with { _ = $0.list.members.removeLast() } }
                return look < 4 ? CommandRun.now + .seconds(Int64(look)) : nil
            }
            let lines = run.output.split(separator: "\n").map { $0.drop { $0 != " " } }
            #expect(
                lines == [
                    "  relay-1  UN  this node", "  relay-2  UN", "  relay-2  DN  does not answer",
                    "  \(ClusterOfTwo.second)  gone",
                ])
        }
    }

    @Test("watched on a terminal it is drawn over, and a node that is away is waited for")
    func redraw() async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with { $0.failure = AdminProblem(.unavailable, "starting") }
            let looks = Mutex(0)
            let run = try await CommandRun.of(["members", "-w"], cluster: two.cluster, isTerminal: true) {
                _ in
                two.cluster.with { $0.failure = nil }
                return looks.withLock { count in
                    count += 1
                    return count < 2 ? CommandRun.now : nil
                }
            }
            #expect(run.outcome == .ok)
            #expect(run.output.contains("chappe: starting\u{1B}[K\n\u{1B}[J\u{1B}[HST  NODE"))
        }
    }

    @Test("status begins with the cluster where there is one")
    func status() async throws {
        try await ClusterOfTwo.with { two in
            let backend = FakeBackend()
            var members = two.cluster.with(\.list).members
            members[1].state = .draining
            members[1].load?.configuration = "91bc220000"
            let cluster = NodeStatus.Cluster(
                members: members, queuedMessages: 84_211, acceptedPerMinute: 1200, orders: 5, blocks: 1,
                verdicts: 2)
            backend.with { $0.cluster = cluster }
            let run = try await CommandRun.of(["status"], backend)
            #expect(
                run.output.hasPrefix(
                    """
                    cluster   2 members: 1 UD 1 UN   config 7f3ac1 (1) 91bc22 (1)   version 0.3.0
                              84,211 messages queued   1,200 accepted a minute
                    threats   1 block   2 verdicts   5 orders
                    member    relay-2   UD   draining
                    node      mx.example.org
                    """), "\(run.output)")
        }
    }

    @Test("blocks are listed with who says so, until when and why")
    func blocks() async throws {
        try await ClusterOfTwo.with { two in
            let order = OrderRow(
                number: 1, by: "anna", reason: "open relay", isLifted: false,
                expires: Moment(CommandRun.now + .seconds(7200)))
            var lifted = order
            lifted.isLifted = true
            lifted.expires = nil
            two.cluster.with { state in
                state.blocks = [
                    BlockRow(
                        subject: "198.51.100.7/32", consequence: .refuse, origins: [],
                        since: Moment(CommandRun.now - .seconds(60)), evidence: [], order: order),
                    BlockRow(
                        subject: "account anna", consequence: .slow, origins: ["relay-1", "relay-2"],
                        since: nil,
                        evidence: ["s1", "s2"], order: nil),
                    BlockRow(
                        subject: "192.0.2.0/24", consequence: .none, origins: ["relay-2"], since: nil,
                        evidence: [], order: lifted),
                ]
            }
            let run = try await CommandRun.of(["host", "ls"], cluster: two.cluster)
            #expect(
                run.output == """
                    SUBJECT          DOES    BY                SINCE  UNTIL  WHY
                    198.51.100.7/32  refuse  order of anna        1m  in 2h  open relay
                    account anna     slow    relay-1,relay-2       -  -      s1 s2
                    192.0.2.0/24     -       released by anna      -  -      open relay

                    """)
        }
    }

    @Test("verdicts are listed, shown by the beginning of a fingerprint, and revoked origins are named")
    func verdicts() async throws {
        try await ClusterOfTwo.with { two in
            let print = "attachment:" + String(repeating: "0a", count: 32)
            let order = OrderRow(number: 1, by: "anna", reason: "poisoned", isLifted: false, expires: nil)
            two.cluster.with { state in
                state.verdicts = VerdictList(
                    [
                        VerdictRow(
                            fingerprint: print, consequence: .hold,
                            origins: [
                                .init(
                                    node: ClusterOfTwo.second.hex, name: "relay-2", incarnation: 3,
                                    counter: 17)
                            ],
                            seen: 41, first: Moment(CommandRun.now - .seconds(600)), heldMessages: 12,
                            order: nil,
                            revocation: nil)
                    ], revokedOrigins: [.init(name: "relay-3", order: order)])
            }
            let list = try await CommandRun.of(["verdict", "ls"], cluster: two.cluster)
            #expect(
                list.output == """
                    FINGERPRINT              DOES  HELD  SEEN  FIRST  BY       UNTIL  WHY
                    attachment:0a0a0a0a0a0a  hold    12    41    10m  relay-2  -
                    all that relay-3 says is revoked by anna: poisoned

                    """)
            let one = try await CommandRun.of(["verdict", "show", "0a0a"], cluster: two.cluster)
            #expect(
                one.output == """
                    \(print)
                    does hold; 12 messages held here; seen 41, first 10m ago
                      relay-2 says so (3.17)

                    """)
            let none = try await CommandRun.of(["verdict", "show", "ffff"], cluster: two.cluster)
            #expect(none.outcome == .partial)
        }
    }

    @Test("a reputation is shown with each member's counts")
    func reputation() async throws {
        try await ClusterOfTwo.with { two in
            two.cluster.with { state in
                state.report = ReputationReport([
                    .init(
                        subject: "account anna", score: -0.823, sureness: 0.9, witnesses: 2,
                        consequence: .slow,
                        words: [.init(name: "relay-2", counters: ["spam": 12.25, "good": 0.5])])
                ])
            }
            let run = try await CommandRun.of(
                ["reputation", "show", "account", "anna"], cluster: two.cluster)
            #expect(
                run.output == """
                    SUBJECT       SCORE  SURE  DOES  MEMBER    COUNTED
                    account anna  -0.82  0.90  slow  2 in all
                                                     relay-2   good 0.5  spam 12.3

                    """)
            #expect(two.cluster.deeds == ["reputation of account anna"])
        }
    }

    @Test(
        "numbers keep their places",
        arguments: [
            (0, 2, "0.00"), (-0.004, 2, "0.00"), (-0.05, 2, "-0.05"), (1234.56, 1, "1,234.6"), (.nan, 1, "?"),
        ] as [(Double, Int, String)])
    func decimals(_ value: Double, _ places: Int, _ text: String) {
        #expect(ReputationShowCommand.decimal(value, places: places) == text)
    }
}
