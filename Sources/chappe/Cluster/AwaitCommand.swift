import AdminClient
import AdminProtocol
import ArgumentParser
import MailValues

/// `chappe await …`: for scripts that go on once something is so.
struct AwaitCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "await", abstract: "Waits until something is so: healthy, or version=V.",
        discussion: """
            healthy: this node's status is ok, and every member is up and normal. version=V: every member runs \
            version V. Members that have left are not waited for; a node that does not answer meanwhile is. Exits 0 \
            once it is so, 1 if it was not before the time was over, 3 if the node did not answer then.
            """)

    enum Goal: ExpressibleByArgument, Equatable {
        case healthy
        case shadowed
        case version(String)

        init?(argument: String) {
            switch argument {
            case "healthy": self = .healthy
            case "shadowed": self = .shadowed
            default:
                guard argument.hasPrefix("version="), argument.count > 8 else { return nil }
                self = .version(String(argument.dropFirst(8)))
            }
        }
    }

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @Argument(help: "healthy, or version=V.") var goal: Goal
    @Option(name: .long, help: "How long to wait.") var timeout = Span(seconds: 600)

    private static let pause: Duration = .seconds(1)

    private struct Answer: Encodable {
        var schema = AdminAPI.schema
        var isSo: Bool
        var missing: [String]
    }

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        guard goal != .shadowed else {
            throw Complaint(
                "this version keeps no copies of queued messages on other nodes, so there is nothing to wait for",
                .usage)
        }
        let end = screen.now + .seconds(timeout.seconds)
        var isReached = true
        var missing: [String] = []
        var now: Timestamp? = screen.now
        while let time = now {
            do throws(AdminClient.Failure) {
                missing = try look(client)
                isReached = true
                if missing.isEmpty { break }
            } catch {
                missing = [Complaint(error).message]
                isReached = false
            }
            now = time < end ? screen.pause(Self.pause) : nil
        }
        try screen.answer(
            form, Answer(isSo: missing.isEmpty, missing: missing),
            page: missing.isEmpty ? ["so it is"] : missing.map { Table.harmless("not yet: \($0)") })
        return missing.isEmpty ? .ok : isReached ? .partial : .unreachable
    }

    /// What is not yet so.
    private func look(_ client: AdminClient) throws(AdminClient.Failure) -> [String] {
        let status: NodeStatus = try client.get("status")
        let members = status.cluster?.members ?? []
        switch goal {
        case .healthy:
            return status.problems.filter { $0.severity > .ok }.map(\.what)
                + members.filter { $0.state != .alive && $0.state != .left }.map {
                    "\($0.name) is \($0.state.rawValue)"
                }
        case .version(let version):
            guard !members.isEmpty else {
                return status.version == version ? [] : ["the node runs \(status.version)"]
            }
            return members.filter { $0.state != .left && $0.load?.version != version }.map {
                "\($0.name) runs \($0.load?.version ?? "an unknown version")"
            }
        case .shadowed: return []
        }
    }
}
