import AdminClient
import AdminProtocol
import Cryptography
import Glibc
import MailValues
import Membership

/// The operator at work: his key, the cluster it commands, and the node that carries his word.
struct Operator {
    let key: Ed25519PrivateKey
    let facts: ClusterFacts
    let cluster: ClusterID
    private let client: AdminClient
    private let now: Timestamp

    /// Asks the node which cluster it is in, and whether the key is that cluster's.
    init(_ options: OperatorKeyOptions, _ client: AdminClient, now: Timestamp) throws {
        self.client = client
        self.now = now
        facts = try client.get("cluster")
        guard let text = facts.cluster else {
            throw Complaint("this node is in no cluster: found one with `chappe init`, or join one")
        }
        guard let cluster = ClusterID(text) else {
            throw Complaint("the node names a cluster that makes no sense: \(Table.harmless(text))")
        }
        self.cluster = cluster
        key = try options.load()
        let shown = key.node.hex
        if let known = facts.operatorKey, known != shown {
            throw Complaint(
                "\(options.path) is the key \(shown.prefix(8))…, and this cluster obeys \(known.prefix(8))…: "
                    + "say --operator-key FILE")
        }
    }

    func order(
        _ subject: Order.Subject, isLifted: Bool = false, reason: String, payload: [UInt8] = [],
        lifetime: Span?
    ) throws -> OrderAnswer {
        try order(
            subject, isLifted: isLifted, reason: reason, payload: payload,
            expires: lifetime.map { now + .seconds($0.seconds) })
    }

    /// Signs an order and hands it to the node, which tells the others. `expires` nil: until a newer one.
    func order(
        _ subject: Order.Subject, isLifted: Bool = false, reason: String, payload: [UInt8] = [],
        expires: Timestamp?
    ) throws -> OrderAnswer {
        let order = Order(
            subject, number: try number, isLifted: isLifted, by: Self.name, reason: try Self.reason(reason),
            payload: payload, expires: expires, cluster: cluster, key: key)
        guard let order else { throw Complaint("the order is longer than orders may be", .usage) }
        let text = String(decoding: Base64.encode(OrderFact(order).octets), as: UTF8.self)
        return try client.send(OrderRequest(order: text), to: "cluster/orders")
    }

    /// How far a number may be ahead of the clock. It grows with time, so that a node that lies about what it knows cannot use
    /// the numbers up.
    private static let leadLongest: Duration = .seconds(10 * 365 * 86_400)

    private static let step: UInt64 = 1_000_000

    /// Above all that were given before: by the clock, or where one ran ahead, by the highest that the node knows. An
    /// eviction from such a clock would else keep its node out until then.
    var number: UInt64 {
        get throws {
            let clock = UInt64(clamping: now.milliseconds)
            guard let newest = facts.newestOrder, newest >= clock else { return clock }
            guard newest < UInt64(clamping: (now + Self.leadLongest).milliseconds) else {
                throw Complaint(
                    "the node knows an order that is numbered more than ten years ahead: is this machine's clock right?"
                )
            }
            // Two tokens must not have one number, and the node hears of a token only when it is used.
            return newest + 1 + clock % Self.step
        }
    }

    /// Who gives the order, as people on this machine know him.
    static var name: String {
        OperatorKeyOptions.environment("SUDO_USER") ?? OperatorKeyOptions.environment("USER")
            ?? "uid \(getuid())"
    }

    /// On one line, as it will stand in logs everywhere.
    static func reason(_ text: String) throws -> String {
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !words.isEmpty else {
            throw Complaint("say --reason \"…\": it goes into the record", .usage)
        }
        guard words.utf8.count <= AdminAPI.reasonOctets else {
            throw Complaint("the reason is longer than \(AdminAPI.reasonOctets) octets", .usage)
        }
        guard Table.harmless(words) == words else {
            throw Complaint("the reason holds control characters", .usage)
        }
        return words
    }
}

/// What became of an order, for people.
enum OrderPage {
    /// What comes of it is partial while a member has yet to hear it.
    @discardableResult
    static func tell(
        _ what: String, _ answer: OrderAnswer, _ form: OutputOptions, on screen: Screen
    ) throws -> Outcome {
        try screen.answer(form, answer, brief: ["\(answer.number)"], page: lines(what, answer))
        return outcome(of: answer)
    }

    static func outcome(of answer: OrderAnswer) -> Outcome { answer.notReached.isEmpty ? .ok : .partial }

    static func lines(_ what: String, _ answer: OrderAnswer) -> [String] {
        var lines = [Table.harmless("\(what): order \(answer.number)")]
        if !answer.told.isEmpty { lines.append("told     \(answer.told.joined(separator: ", "))") }
        if !answer.notReached.isEmpty {
            lines.append("waiting  \(answer.notReached.joined(separator: ", ")): will hear of it when back")
        }
        if answer.messages > 0 {
            lines.append("touches  \(Wording.count(answer.messages, "message")) in this node's queue")
        }
        return lines.map(Table.harmless)
    }
}
