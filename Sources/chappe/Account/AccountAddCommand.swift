import ArgumentParser
import Cryptography
import Glibc
import RoutingPolicy

/// `chappe account add NAME`: a new account, or a new password or senders for one that is there.
struct AccountAddCommand: ScreenCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "A new account, or a new password for one that is there.",
        discussion:
            "The password is asked for, or read as the first line of standard input: never from the command line, which every user sees."
    )

    @OptionGroup var file: AccountFileOptions
    @Argument(help: "The name, as it is given at login.") var name: String

    @Option(
        name: .customLong("sender"),
        help:
            "What it may send as: user@example.org, @example.org, .example.org, or * for anything. May be repeated."
    )
    var senders: [String] = []

    @Option(name: .long, help: "Rounds of PBKDF2.")
    var iterations = ScramVerifier.iterationsDefault

    func validate() throws {
        guard (ScramVerifier.iterationsLeast...ScramVerifier.iterationsMost).contains(iterations) else {
            throw ValidationError(
                "--iterations is from \(ScramVerifier.iterationsLeast) to \(ScramVerifier.iterationsMost)")
        }
        for sender in senders where !AccountFile.isSender(sender) || SenderScope([sender]) == nil {
            throw ValidationError(
                "\"\(sender)\" is no sender: user@example.org, @example.org, .example.org or *")
        }
    }

    func perform(on screen: Screen) throws -> Outcome {
        try perform(on: screen) { try PasswordEntry.read(on: screen) }
    }

    func perform(on screen: Screen, password: () throws -> String) throws -> Outcome {
        let prepared = try AccountFileOptions.name(name)
        var accounts = access(file.path, F_OK) == 0 ? try file.load() : []
        let old = accounts.firstIndex { $0.name == prepared }
        let kept = senders.isEmpty ? old.map { accounts[$0].senders } ?? [] : senders
        guard !kept.isEmpty else {
            let address = prepared.text.contains("@") ? prepared.text : "\(prepared.text)@…"
            throw Complaint(
                "what may \(prepared.text) send as? say --sender \(address), or --sender '*'", .usage)
        }
        guard let secret = OpaqueString(try password()) else {
            throw Complaint(
                "this can be no password: it is empty, too long, or holds control characters", .usage)
        }
        var random = SecureRandom()
        let verifier = ScramVerifier(
            password: secret.octets, salt: random.octets(count: ScramVerifier.saltOctets),
            iterations: iterations)
        let account = Account(name: prepared, verifier: verifier, senders: kept)
        if let old { accounts[old] = account } else { accounts.append(account) }
        try file.save(accounts)
        screen.say(
            "\(prepared.text) \(old == nil ? "added" : "changed"); `chappe reload` makes the node read it")
        return .ok
    }
}
