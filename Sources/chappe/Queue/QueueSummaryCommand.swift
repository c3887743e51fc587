import AdminClient
import AdminProtocol
import ArgumentParser
import MailValues

extension QueueSummary.Grouping: ExpressibleByArgument {}

/// `chappe queue summary`: how many, for whom, how old.
struct QueueSummaryCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "summary",
        abstract: "The queue counted by domain, sender, state or last reply, with ages.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @OptionGroup var filter: FilterOptions

    @Option(name: .customLong("by"), help: "domain, sender, state or reply.")
    var grouping: QueueSummary.Grouping = .domain

    @Option(name: .long, help: "At most so many rows.")
    var limit = 50

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let filters = try filter.filters
        guard filters.count == 1 else { throw Complaint("a summary takes one id at most", .usage) }
        let query = filters[0].pairs + [("by", grouping.rawValue), ("limit", "\(limit)")]
        let summary: QueueSummary = try client.get("queue/summary", query: query)
        try screen.answer(
            form, summary, rows: summary.rows, brief: ["\(summary.total.messages)"],
            page: form.lines(Self.table(summary, now: screen.now)))
        return .ok
    }

    static func table(_ summary: QueueSummary, now: Timestamp) -> Table {
        let bounds = summary.ageBoundsMinutes.map { Wording.span(seconds: Int64($0) * 60) }
        var columns: [(String, Table.Side)] = [
            (summary.grouping.rawValue.uppercased(), .left), ("MESSAGES", .right), ("SIZE", .right),
            ("HELD", .right),
            ("DEFERRED", .right), ("OLDEST", .right),
        ]
        columns += bounds.map { ("<\($0)", .right) }
        columns.append((bounds.last.map { "\($0)+" } ?? "ALL", .right))
        var table = Table(columns)
        for row in summary.rows + [summary.total] {
            table.add(
                [
                    row.key, Wording.count(row.messages), Wording.octets(row.octets), Wording.count(row.held),
                    Wording.count(row.deferred), row.oldest.map { Wording.age(of: $0, now: now) } ?? "-",
                ] + row.ages.map { $0 == 0 ? "." : Wording.count($0) })
        }
        return table
    }
}
