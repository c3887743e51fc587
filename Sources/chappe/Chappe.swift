import ArgumentParser
import RelayNode

/// The operator's command. Each subcommand stands in a file of its own.
@main
struct Chappe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chappe",
        abstract: "Asks and tells a Chappe node, and the cluster that it is in.",
        discussion: """
            Exit codes: 0 all is well; 1 degraded, or not everything was done; 2 critical, or refused; \
            3 the node does not answer; 64 the command line makes no sense.
            """,
        version: NodeVersion.text,
        subcommands: [
            StatusCommand.self, QueueCommand.self, ExplainCommand.self, ConfigCommand.self,
            ReloadCommand.self,
            DrainCommand.self, UndrainCommand.self, MembersCommand.self, InitCommand.self,
            JoinLineCommand.self,
            JoinCommand.self, LeaveCommand.self, ForceLeaveCommand.self, CanStopCommand.self,
            AwaitCommand.self,
            DoctorCommand.self, HostCommand.self, VerdictCommand.self, ReputationCommand.self,
            RotateLinkKeyCommand.self, AccountCommand.self, StoreCommand.self, SelftestCommand.self,
            MetricsCommand.self, VersionCommand.self,
        ])
}
