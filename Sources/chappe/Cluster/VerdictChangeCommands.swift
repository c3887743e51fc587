import AdminClient
import AdminProtocol
import ArgumentParser
import Convergence
import Filtering
import MailValues
import Membership

/// `chappe verdict add FINGERPRINT`, or `--file MESSAGE`
struct VerdictAddCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Condemns a fingerprint on all nodes, in their queues too.",
        discussion: """
            --file takes a message as it was saved, and condemns its text and each file in it: look with --dry-run \
            first, since a file may be a logo that good mail carries too. Needs the operator's key.
            """)

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @OptionGroup var key: OperatorKeyOptions
    @Argument(help: "body:… or attachment:…, and 64 hexadecimal digits.") var fingerprint: String?
    @Option(name: .long, help: "A message: a file, or - for standard input.") var file: String?
    @Option(name: .long, help: "Why: goes into the record.") var reason: String
    @Option(name: .customLong("ttl"), help: "For how long: 2h, 3d.") var lifetime: Span
    @Flag(name: .customLong("dry-run"), help: "Only says which fingerprints it would be.") var isDry = false

    private struct Answer: Encodable {
        var schema = AdminAPI.schema
        var verdicts: [Condemned]
    }

    private struct Condemned: Encodable {
        var fingerprint: String
        /// Absent: it was only looked for.
        var order: OrderAnswer?
    }

    func validate() throws {
        guard (fingerprint == nil) != (file == nil) else {
            throw ValidationError("say a fingerprint, or --file MESSAGE")
        }
        guard !isDry || file != nil else {
            throw ValidationError("--dry-run looks at a file: say --file MESSAGE")
        }
    }

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        if let file {
            return try condemn(try MessageFile.fingerprints(file), client, on: screen)
        } else {
            guard let fingerprint = fingerprint.flatMap({ Fingerprint($0.lowercased()) }) else {
                throw Complaint(
                    "this is no fingerprint: body:… or attachment:…, and 64 hexadecimal digits", .usage)
            }
            let answer = try condemn(fingerprint, by: Operator(key, client, now: screen.now))
            return try OrderPage.tell(said(of: fingerprint), answer, form, on: screen)
        }
    }

    private func condemn(
        _ all: [Fingerprint], _ client: AdminClient, on screen: Screen
    ) throws -> Outcome {
        let master = isDry ? nil : try Operator(key, client, now: screen.now)
        var condemned: [Condemned] = []
        var page: [String] = []
        for fingerprint in all {
            let answer = try master.map { try condemn(fingerprint, by: $0) }
            condemned.append(Condemned(fingerprint: "\(fingerprint)", order: answer))
            page += answer.map { OrderPage.lines(said(of: fingerprint), $0) } ?? ["\(fingerprint)"]
        }
        try screen.answer(
            form, Answer(verdicts: condemned), rows: condemned, brief: condemned.map(\.fingerprint),
            page: page)
        return condemned.allSatisfy { $0.order?.notReached.isEmpty ?? true } ? .ok : .partial
    }

    private func condemn(_ fingerprint: Fingerprint, by master: Operator) throws -> OrderAnswer {
        try master.order(Order.Subject(.verdict, fingerprint.octets), reason: reason, lifetime: lifetime)
    }

    private func said(of fingerprint: Fingerprint) -> String { "\(fingerprint) is condemned for \(lifetime)" }
}

/// `chappe verdict revoke FINGERPRINT`, or `--origin NODE`
struct VerdictRevokeCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Takes back what was said of a fingerprint, or all that a node said.",
        discussion: """
            Held messages go free. Until the time is over no node's own judgement counts either: of the fingerprint, \
            or by that node. Needs the operator's key.
            """)

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @OptionGroup var key: OperatorKeyOptions
    @Argument(help: "It, or enough of its beginning.") var fingerprint: String?
    @Option(name: .long, help: "All that this member said.") var origin: String?
    @Option(name: .long, help: "Why: goes into the record.") var reason = "revoked by an operator"
    @Option(name: .customLong("ttl"), help: "For how long: 2h, 3d.") var lifetime = Span(seconds: 24 * 3600)

    func validate() throws {
        guard (fingerprint == nil) != (origin == nil) else {
            throw ValidationError("say a fingerprint, or --origin NODE")
        }
    }

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let master = try Operator(key, client, now: screen.now)
        if let origin {
            let mark: OriginMark = try client.get("cluster/mark", query: [("node", origin)])
            let node = try Self.node(mark.node)
            let version = Version(incarnation: mark.incarnation, counter: mark.counter)
            let answer = try revoke(Revocation(.origin(node), covered: [node: version]), master)
            return try OrderPage.tell(
                "all that \(mark.name) says is revoked for \(lifetime)", answer, form, on: screen)
        } else if let fingerprint {
            let (name, answer) = try revoke(fingerprint, client, master)
            return try OrderPage.tell("\(name) is revoked for \(lifetime)", answer, form, on: screen)
        }
        return .ok
    }

    private func revoke(
        _ text: String, _ client: AdminClient, _ master: Operator
    ) throws -> (Fingerprint, OrderAnswer) {
        let row = try VerdictSearch.row(text, client)
        guard let fingerprint = Fingerprint(row?.fingerprint ?? text.lowercased()) else {
            throw Complaint("nothing is known of a fingerprint that begins so", .partial)
        }
        var covered: [NodeID: Version] = [:]
        for origin in row?.origins ?? [] {
            covered[try Self.node(origin.node)] = Version(
                incarnation: origin.incarnation, counter: origin.counter)
        }
        // The operator's own word against it goes too, for as long as it would have held: else it would still act.
        if let order = row?.order, !order.isLifted {
            _ = try master.order(
                Order.Subject(.verdict, fingerprint.octets), isLifted: true, reason: reason,
                expires: order.expires?.timestamp)
        }
        return (fingerprint, try revoke(Revocation(.fingerprint(fingerprint), covered: covered), master))
    }

    private func revoke(_ revocation: Revocation, _ master: Operator) throws -> OrderAnswer {
        try master.order(
            Order.Subject(.revocation, revocation.subjectOctets), reason: reason, payload: revocation.octets,
            lifetime: lifetime)
    }

    private static func node(_ hex: String) throws -> NodeID {
        guard let id = NodeID(hex: hex) else {
            throw Complaint("the node names a member that makes no sense: \(Table.harmless(hex))")
        }
        return id
    }
}
