import AdminClient
import AdminProtocol
import ArgumentParser
import MailValues

/// `chappe queue ls`: messages, oldest first.
struct QueueListCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "Messages in the queue, oldest first.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @OptionGroup var filter: FilterOptions

    @Option(name: .long, help: "At most so many; 0: all.")
    var limit = AdminAPI.pageLimitDefault

    func validate() throws {
        guard limit >= 0 else { throw ValidationError("--limit is not negative") }
    }

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        var entries: [QueueEntry] = []
        var isMore = false
        for filter in try filter.filters {
            isMore = try pages(client, filter) { entry in
                if form.output == .jsonl { try screen.sayJSONLine(entry) } else { entries.append(entry) }
            }
        }
        guard form.output != .jsonl else { return .ok }
        try screen.answer(
            form, QueuePage(entries: entries, next: isMore ? entries.last?.id : nil),
            brief: entries.map(\.id),
            page: form.lines(Self.table(entries, wide: form.output == .wide, now: screen.now)))
        if isMore && form.isTable { screen.warn("… and more: --limit 0 shows all") }
        return .ok
    }

    /// True if there is more than was asked for.
    private func pages(
        _ client: AdminClient, _ filter: QueueFilter, _ body: (QueueEntry) throws -> Void
    ) throws -> Bool {
        var cursor: String?
        var left = limit == 0 ? Int.max : limit
        repeat {  // ends: each page begins behind the one before
            var query = filter.pairs
            query.append(("limit", "\(min(left, 1000))"))
            if let cursor { query.append(("cursor", cursor)) }
            let page: QueuePage = try client.get("queue", query: query)
            for entry in page.entries { try body(entry) }
            left -= page.entries.count
            cursor = page.next
        } while cursor != nil && left > 0
        return cursor != nil
    }

    static func table(_ entries: [QueueEntry], wide: Bool, now: Timestamp) -> Table {
        var table = Table(
            [
                ("ID", .left), ("STATE", .left), ("AGE", .right), ("SIZE", .right), ("NEXT", .left),
                ("FROM", .left), ("TO", .left),
            ]
                + (wide ? [("TRIES", .right), ("CLIENT", .left), ("ACCOUNT", .left), ("LAST", .left)] : []))
        for entry in entries {
            let waiting = entry.recipients.filter { $0.state == .waiting }
            let first = waiting.first ?? entry.recipients.first
            let others = max(waiting.count, 1) - 1
            var row = [
                entry.id, entry.state.rawValue, Wording.age(of: entry.acceptedAt, now: now),
                Wording.octets(entry.sizeOctets),
                entry.state == .held ? "-" : Wording.wait(until: entry.nextAttempt, now: now),
                Wording.sender(entry.sender), (first?.address ?? "-") + (others > 0 ? " +\(others)" : ""),
            ]
            if wide {
                row += [
                    "\(waiting.map(\.attempts).max() ?? 0)", entry.client ?? "-", entry.account ?? "-",
                    entry.holdText ?? first?.lastReply ?? entry.obstacleText
                        ?? "-",
                ]
            }
            table.add(row)
        }
        return table
    }
}
