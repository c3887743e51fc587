import AdminClient
import AdminProtocol
import ArgumentParser
import Glibc

/// How a command ended, as scripts see it.
enum Outcome: Int32 {
    case ok = 0
    /// Degraded, or not everything was done.
    case partial = 1
    /// Critical, or a safety check said no.
    case refused = 2
    case unreachable = 3
    case usage = 64
}

/// A command that ends with an outcome and writes on a screen; tests give it a screen of their own.
protocol ScreenCommand: ParsableCommand {
    func perform(on screen: Screen) throws -> Outcome
}

extension ScreenCommand {
    func run() throws {
        let outcome = Complaint.caught(on: .standard) { try perform(on: .standard) }
        guard outcome == .ok else { throw ExitCode(outcome.rawValue) }
    }
}

/// A command that asks a running node.
protocol NodeCommand: ScreenCommand {
    var node: NodeOptions { get }
    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome
}

extension NodeCommand {
    func perform(on screen: Screen) throws -> Outcome { try perform(with: node.client, on: screen) }
}

/// Where the node is.
struct NodeOptions: ParsableArguments {
    @Option(name: .long, help: "The node's admin socket; also CHAPPE_SOCKET.")
    var socket: String?

    var client: AdminClient { AdminClient(path: path) }

    private var path: String {
        if let socket { return socket }
        if let named = getenv("CHAPPE_SOCKET"), named.pointee != 0 { return String(cString: named) }
        return AdminAPI.socketPath
    }
}
