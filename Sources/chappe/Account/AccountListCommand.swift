import AdminProtocol
import ArgumentParser
import Cryptography

/// `chappe account ls`
struct AccountListCommand: ScreenCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "The accounts, without their verifiers.")

    @OptionGroup var file: AccountFileOptions
    @OptionGroup var form: OutputOptions

    private struct Row: Encodable {
        var name: String
        var senders: [String]
        var iterations: Int
    }

    private struct Page: Encodable {
        var schema = AdminAPI.schema
        var accounts: [Row]
    }

    func perform(on screen: Screen) throws -> Outcome {
        let rows = try file.load().map {
            Row(name: $0.name.text, senders: $0.senders, iterations: $0.verifier.iterations)
        }
        var table = Table([("NAME", .left), ("SENDERS", .left), ("ROUNDS", .right)])
        for row in rows {
            table.add([
                row.name, row.senders.isEmpty ? "-" : row.senders.joined(separator: ", "),
                "\(row.iterations)",
            ])
        }
        try screen.answer(
            form, Page(accounts: rows), rows: rows, brief: rows.map(\.name), page: form.lines(table))
        return .ok
    }
}
