import AdminClient
import AdminProtocol
import ArgumentParser
import Cryptography
import MailValues
import Membership

/// `chappe init`: this node becomes a cluster of one.
struct InitCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Founds a cluster with this node as its first member.",
        discussion: """
            Makes the operator's key, whose holder admits and evicts members and gives orders to all of them. A \
            key that is in the file already is used again. Nothing can replace it: copy it to a safe place.
            """)

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @OptionGroup var key: OperatorKeyOptions
    @OptionGroup var identity: MemberOptions

    /// Between this command and the node there is only a socket.
    private static let permitLifetime: Duration = .seconds(300)

    private struct Answer: Encodable {
        var schema = AdminAPI.schema
        var cluster: String
        var operatorKey: String
        var operatorKeyFile: String
        var isNewKey: Bool
        var members: [MemberRow]
    }

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let facts: ClusterFacts = try client.get("cluster")
        if let cluster = facts.cluster {
            throw Complaint(
                "this node is in a cluster already (\(Table.harmless(cluster))): see `chappe members`")
        }
        let (key, isNew) = try key.loadOrMake()
        var random = SecureRandom()
        let cluster = ClusterID(using: &random)
        let token = Token(
            cluster: cluster, operator: key, doorkeeper: try facts.identity, linkKey: try facts.link,
            number: UInt64(clamping: screen.now.milliseconds), expires: screen.now + Self.permitLifetime,
            using: &random)
        let list: MemberList = try client.send(
            FoundRequest(token: token.text, name: identity.name, address: identity.address),
            to: "cluster/init")
        let answer = Answer(
            cluster: list.cluster ?? "\(cluster)", operatorKey: key.node.hex, operatorKeyFile: self.key.path,
            isNewKey: isNew, members: list.members)
        try screen.answer(form, answer, brief: [answer.cluster], page: page(answer))
        return .ok
    }

    private func page(_ answer: Answer) -> [String] {
        let name = answer.members.first?.name ?? "this node"
        return [
            "cluster \(answer.cluster): \(name) is its first member",
            "The operator's key \(answer.isNewKey ? "is new" : "was there, and is used again"): "
                + answer.operatorKeyFile,
            "Copy it to a safe place: whoever has it commands the cluster, and nothing can replace it.",
            "Next: `chappe join-cmd` prints the line to say on another node.",
        ].map(Table.harmless)
    }
}

/// As what a node comes into a cluster.
struct MemberOptions: ParsableArguments {
    @Option(name: .long, help: "The node's name among the members; else its host name.")
    var name: String?

    @Option(
        name: .long, help: "Where the other members reach it, an address; else as the configuration says.")
    var address: String?

    func validate() throws {
        if let name, !Admission.isName(name) {
            throw ValidationError(
                "--name is letters, digits, dots and hyphens, at most \(Admission.nameOctetsLongest)")
        }
        if let address, IPAddress(address) == nil {
            throw ValidationError("--address is an address, not \"\(address)\"")
        }
    }
}

extension ClusterFacts {
    var identity: NodeID {
        get throws {
            guard let id = NodeID(hex: node) else { throw Complaint("the node names no identity of its own") }
            return id
        }
    }

    /// The key that its links show. A node's id has as many octets, and is read alike.
    var link: [UInt8] {
        get throws {
            guard let key = NodeID(hex: linkKey) else {
                throw Complaint("the node names no key of its links")
            }
            return key.octets
        }
    }
}
