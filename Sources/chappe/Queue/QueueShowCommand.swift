import AdminClient
import AdminProtocol
import ArgumentParser
import MailValues

/// `chappe queue show ID`: one message and each of its recipients.
struct QueueShowCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One message in the queue, with each recipient.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @Argument(help: "The id, whole.") var id: String

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let answer: QueueEntryAnswer = try client.get("queue/\(try MessageID.checked(id))")
        let now = screen.now
        try screen.answer(
            form, answer, brief: [answer.entry.state.rawValue],
            page: Self.facts(answer.entry, now: now).lines(withHeaders: false) + [""]
                + form.lines(Self.recipients(answer.entry, now: now)))
        return .ok
    }

    static func facts(_ entry: QueueEntry, now: Timestamp) -> Table {
        var table = Table([("", .left), ("", .left)])
        table.add(["id", entry.id])
        table.add(["state", entry.state.rawValue])
        if let hold = entry.hold {
            table.add(["held", "by \(hold.by), \(Wording.age(of: hold.since, now: now)) ago: \(hold.reason)"])
        }
        if entry.hold == nil, let offered = entry.holdText { table.add(["held", offered]) }
        table.add(["accepted", "\(entry.acceptedAt) (\(Wording.age(of: entry.acceptedAt, now: now)) ago)"])
        table.add(["from", Wording.sender(entry.sender)])
        table.add(["size", Wording.octets(entry.sizeOctets)])
        let client = entry.client.map { ", client \($0)" } ?? ""
        let account = entry.account.map { ", account \($0)" } ?? ""
        table.add(["came by", entry.listener + client + account])
        if let obstacle = entry.obstacleText { table.add(["waits for", obstacle]) }
        if entry.priority != 0 { table.add(["priority", "\(entry.priority)"]) }
        if let notBefore = entry.notBefore { table.add(["not before", "\(notBefore)"]) }
        if let deadline = entry.deadline {
            table.add(["returned", "\(Wording.wait(until: deadline, now: now)) if still here (\(deadline))"])
        }
        return table
    }

    static func recipients(_ entry: QueueEntry, now: Timestamp) -> Table {
        var table = Table([
            ("TO", .left), ("STATE", .left), ("TRIES", .right), ("LAST", .right), ("NEXT", .left),
            ("HOST", .left),
            ("REPLY", .left),
        ])
        for recipient in entry.recipients {
            table.add([
                recipient.address, recipient.state.rawValue, "\(recipient.attempts)",
                recipient.lastAttempt.map { Wording.age(of: $0, now: now) } ?? "-",
                recipient.state == .waiting && entry.holdText == nil
                    ? Wording.wait(until: recipient.nextAttempt ?? entry.nextAttempt, now: now) : "-",
                recipient.lastHost ?? "-", recipient.lastReply ?? "-",
            ])
        }
        return table
    }
}

/// An id as it may stand in a path.
enum MessageID {
    static func checked(_ text: String) throws -> String {
        guard let id = QueueID(text) else {
            throw Complaint(
                "\"\(Table.harmless(text))\" is no id: it has 26 letters and digits, as in the 250", .usage)
        }
        return id.description
    }
}
