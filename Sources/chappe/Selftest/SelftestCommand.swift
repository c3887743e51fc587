import ArgumentParser

/// `chappe selftest …`
struct SelftestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selftest", abstract: "Tries on a running node what must not work.",
        subcommands: [OpenRelayCommand.self])
}
