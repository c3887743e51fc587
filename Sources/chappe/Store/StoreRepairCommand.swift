import ArgumentParser
import MailValues
import QueueStorage

/// `chappe store repair DIR`: puts what reads of a damaged store into a new one. The node must not run.
struct StoreRepairCommand: ScreenCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Puts everything that reads of a damaged store into a new one, and says what is gone.",
        discussion: """
            The node must be stopped. The damaged store is moved aside as it is; the new one takes its place, and the
            node starts with every message held.
            """)

    @Argument(help: "The store's directory.") var directory = "/var/lib/chappe/queue"
    @Option(help: "Make the new store here, and leave the damaged one where it is.") var into: String?
    @Flag(name: .long, help: "Name every message that is gone.") var ids = false
    @Flag(name: [.customShort("y"), .long], help: "Do not ask.") var yes = false

    func perform(on screen: Screen) throws -> Outcome {
        let question = "What reads in \(directory) goes into a new store, with everything held. Go on?"
        guard yes || screen.confirms(question) else {
            throw Complaint("nothing was changed: say --yes", .refused)
        }
        let report: RepairReport
        let gauge = Gauge(on: screen)
        do {
            report = try RocksQueue.repair(directory: directory, into: into, now: Clock.now) {
                gauge.show("\(Wording.count($0, "message")) …")
            }
        } catch {
            gauge.clear()
            throw Complaint(error.description)
        }
        gauge.clear()
        for line in Self.lines(report, wide: ids) { screen.say(Table.harmless(line)) }
        return report.isComplete ? .ok : .partial
    }

    /// Messages and damages shown unless all are asked for.
    private static let linesShown = 20

    static func lines(_ report: RepairReport, wide: Bool) -> [String] {
        var lines = [
            "\(Wording.count(report.messages, "message")) can be read; the node will start with all of them held"
        ]
        lines += shown(report.damages.map { "damaged: \($0)" }, wide: wide)
        if report.gone.isEmpty {
            lines.append("no message is known to be gone")
        } else {
            let verb = report.gone.count == 1 ? "is" : "are"
            lines.append("\(Wording.count(report.gone.count, "message")) \(verb) gone:")
            lines += shown(report.gone.map { "  \($0.id)  \($0.reason)" }, wide: wide)
        }
        let lost = report.unreadableOctets + report.missingLogOctets
        if lost > 0 {
            lines.append(
                "\(Wording.octets(lost)) of the log cannot be read or are missing: messages without a name may be gone"
            )
        }
        if let place = report.damagedStore { lines.append("the damaged store is in \(place)") }
        lines.append("When you have looked: chappe queue release --all --reason …")
        return lines
    }

    private static func shown(_ all: [String], wide: Bool) -> [String] {
        guard !wide, all.count > linesShown else { return all }
        return all.prefix(linesShown) + ["  … \(all.count - linesShown) more: --ids shows all"]
    }
}
