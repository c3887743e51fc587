import AdminClient
import AdminProtocol
import ArgumentParser
import Cryptography
import MailValues
import Membership
import Reputation

/// `chappe host …`: hosts and accounts from which nothing is taken.
struct HostCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "Blocks hosts, networks and accounts on all nodes, and releases them.",
        subcommands: [HostListCommand.self, HostBlockCommand.self, HostReleaseCommand.self])
}

/// Whom a block is about, on a command line: `198.51.100.7`, `198.51.100.0/24`, or `account anna`.
struct BlockSubjectOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("An address, a network, or `account NAME`.", valueName: "subject"))
    var words: [String]

    func subject() throws -> BlockSubject {
        let text = Table.harmless(words.joined(separator: " "))
        let subject: BlockSubject
        if words.count == 2, words[0] == "account" {
            guard let name = PreparedName(words[1]) else {
                throw Complaint("\"\(Table.harmless(words[1]))\" can be no account's name", .usage)
            }
            subject = .account(name.text)
        } else {
            guard words.count == 1, let network = Network(words[0]) else {
                throw Complaint("\"\(text)\" is no address, no network and not `account NAME`", .usage)
            }
            subject = .network(network)
        }
        guard BlockSubject(octets: subject.octets) == subject else {
            throw Complaint("\(text) is too wide: at most a /16 of IPv4, or a /32 of IPv6", .usage)
        }
        return subject
    }
}

/// `chappe host ls`
struct HostListCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "What is blocked, by whom, and until when.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let list: BlockList = try client.get("blocks")
        try screen.answer(
            form, list, rows: list.blocks, brief: list.blocks.map(\.subject),
            page: form.lines(Self.table(list.blocks, now: screen.now)))
        return .ok
    }

    static func table(_ rows: [BlockRow], now: Timestamp) -> Table {
        var table = Table([
            ("SUBJECT", .left), ("DOES", .left), ("BY", .left), ("SINCE", .right), ("UNTIL", .left),
            ("WHY", .left),
        ])
        for row in rows {
            table.add([
                row.subject, row.consequence == .none ? "-" : row.consequence.rawValue,
                OrderWords.by(row.order, lifted: "released", origins: row.origins),
                row.since.map { Wording.age(of: $0, now: now) } ?? "-",
                Wording.wait(until: row.order?.expires, now: now),
                row.order?.reason ?? row.evidence.joined(separator: " "),
            ])
        }
        return table
    }
}

/// `chappe host block`
struct HostBlockCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "block", abstract: "Nothing more from a host, a network or an account, on all nodes.",
        discussion:
            "Needs the operator's key. Networks that a node's configuration protects are never blocked there."
    )

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @OptionGroup var key: OperatorKeyOptions
    @OptionGroup var who: BlockSubjectOptions

    @Option(name: .long, help: "Why: goes into the record.") var reason: String
    @Option(
        name: [.customLong("for"), .customLong("ttl")], help: "For how long: 2h, 7d. Else until released.")
    var lifetime: Span?

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let subject = try who.subject()
        let answer = try Operator(key, client, now: screen.now).order(
            Order.Subject(.block, subject.octets), reason: reason, lifetime: lifetime)
        let span = lifetime.map { " for \($0)" } ?? " until it is released"
        let words = Self.sentence("\(subject)", "blocked\(span)", answer.protection)
        let outcome = try OrderPage.tell(words, answer, form, on: screen)
        return answer.protection == nil ? outcome : .partial
    }

    /// What became of it on the node that was asked; each other one goes by its own configuration.
    private static func sentence(
        _ subject: String, _ deed: String, _ protection: OrderAnswer.Protection?
    ) -> String {
        guard let protection else { return "\(subject) is \(deed)" }
        let shown = protection.networks.prefix(networksShown).joined(separator: ", ")
        let more = protection.networks.count > networksShown ? ", …" : ""
        let place = "this node (`gate.protected`: \(shown)\(more))"
        return protection.isWhole
            ? "\(subject) is protected on \(place), and not blocked there; where it is not protected it is \(deed)"
            : "\(subject) is \(deed), without what is protected on \(place)"
    }

    private static let networksShown = 4
}

/// `chappe host release`
struct HostReleaseCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Takes mail from it again; no node's own block of it counts any more.",
        discussion: "Needs the operator's key. With --for, nodes may block it again by themselves after that."
    )

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @OptionGroup var key: OperatorKeyOptions
    @OptionGroup var who: BlockSubjectOptions

    @Option(name: .long, help: "Why: goes into the record.") var reason = "released by an operator"
    @Option(name: [.customLong("for"), .customLong("ttl")], help: "For how long: 2h, 7d. Else for ever.")
    var lifetime: Span?

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let subject = try who.subject()
        let answer = try Operator(key, client, now: screen.now).order(
            Order.Subject(.block, subject.octets), isLifted: true, reason: reason, lifetime: lifetime)
        return try OrderPage.tell("\(subject) is released", answer, form, on: screen)
    }
}

/// Who says so: the operator, or members by what they saw.
enum OrderWords {
    static func by(_ order: OrderRow?, lifted: String, origins: [String]) -> String {
        if let order { return "\(order.isLifted ? "\(lifted) by" : "order of") \(order.by)" }
        return origins.isEmpty ? "-" : origins.joined(separator: ",")
    }
}
