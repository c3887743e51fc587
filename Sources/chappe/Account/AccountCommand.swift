import ArgumentParser
import Cryptography
import RelayNode

/// `chappe account …`: who may submit mail after a login. Works on the file; the node reads it at the next
/// reload.
struct AccountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Who may submit mail after a login.",
        discussion:
            "Passwords are never kept: the file holds SCRAM verifiers. A running node reads it at `chappe reload`.",
        subcommands: [AccountAddCommand.self, AccountRemoveCommand.self, AccountListCommand.self])
}

struct AccountFileOptions: ParsableArguments {
    @Option(name: .customLong("file"), help: "The account file.")
    var path = "/etc/chappe/accounts"

    var store: AccountStore { AccountStore(path: path) }

    func load() throws -> [Account] {
        do {
            return try store.load()
        } catch {
            throw Complaint(error.description)
        }
    }

    func save(_ accounts: [Account]) throws {
        do {
            try store.save(accounts)
        } catch {
            throw Complaint(error.description)
        }
    }

    static func name(_ text: String) throws -> PreparedName {
        guard let name = PreparedName(text) else {
            throw Complaint("\"\(Table.harmless(text))\" can be no account's name (RFC 8265 §3)", .usage)
        }
        return name
    }
}
