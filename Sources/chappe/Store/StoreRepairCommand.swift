import ArgumentParser
import MailValues
import QueueStorage

/// `chappe store repair DIR`: opens what is damaged as far as it can be read. The node must not run.
struct StoreRepairCommand: ScreenCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Opens a damaged store as far as it can be read, and says what is gone.",
        discussion: "The node must be stopped. Afterwards it starts with every message held.")

    @Argument(help: "The store's directory.") var directory = "/var/lib/chappe/queue"
    @Flag(name: .long, help: "Name every message that is gone.") var ids = false
    @Flag(name: [.customShort("y"), .long], help: "Do not ask.") var yes = false

    func perform(on screen: Screen) throws -> Outcome {
        guard
            yes
                || screen.confirms(
                    "What cannot be read in \(directory) will be gone. Is there a copy, and shall I go on?")
        else {
            throw Complaint("nothing was changed: copy \(directory) first, then say --yes", .refused)
        }
        let report: RepairReport
        do {
            report = try RocksQueue.repair(directory: directory)
        } catch {
            throw Complaint(error.description)
        }
        for line in Self.lines(report, wide: ids) { screen.say(Table.harmless(line)) }
        return report.gone.isEmpty && report.unreadableOctets == 0 && report.damagedTables.isEmpty
            ? .ok : .partial
    }

    /// Ids shown unless all are asked for.
    private static let idsShown = 20

    static func lines(_ report: RepairReport, wide: Bool) -> [String] {
        var lines = [
            "\(Wording.count(report.messages, "message")) can be read; the node will start with all of them held"
        ]
        if report.mendedCurrent { lines.append("CURRENT was damaged, and was written anew") }
        if !report.gone.isEmpty {
            let verb = report.gone.count == 1 ? "is" : "are"
            lines.append("\(Wording.count(report.gone.count, "message")) \(verb) gone:")
            let shown = wide ? report.gone[...] : report.gone.prefix(idsShown)
            lines += shown.map { "  \($0)" }
            if shown.count < report.gone.count { lines.append("  … --ids shows all") }
        }
        if report.unreadableOctets > 0 {
            lines.append(
                "\(Wording.octets(report.unreadableOctets)) of the log cannot be read: messages without a name may be gone"
            )
        }
        lines += report.damagedTables.map { "a table is damaged: \($0)" }
        lines.append("When you have looked: chappe queue release --all --reason …")
        return lines
    }
}
