import AdminClient
import AdminProtocol
import ArgumentParser
import MailValues

/// `chappe members`: a line for each node.
struct MembersCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "members", abstract: "The nodes of the cluster, a line each.",
        discussion: """
            ST is two letters: U up or D down; then N normal, J joining, L leaving, D draining, S its store is \
            sick, Q quarantined. With --watch a terminal is drawn anew each second; elsewhere each change is a line.
            """)

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions

    @Flag(name: [.customShort("w"), .long], help: "Go on looking.")
    var watch = false

    private static let pause: Duration = .seconds(1)

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        guard watch else {
            try tell(client.get("cluster/members"), on: screen)
            return .ok
        }
        if screen.isTerminal && form.isTable { return redraw(client, on: screen) }
        return try follow(client, on: screen)
    }

    private func tell(_ list: MemberList, on screen: Screen) throws {
        try screen.answer(
            form, list, rows: list.members, brief: list.members.map(\.name),
            page: form.lines(MembersPage.table(list, wide: form.output == .wide)))
    }

    /// A node that is gone for a moment is no reason to stop looking.
    private func redraw(_ client: AdminClient, on screen: Screen) -> Outcome {
        repeat {  // ends with the person's patience
            var lines: [String]
            do throws(AdminClient.Failure) {
                lines = form.lines(
                    MembersPage.table(try client.get("cluster/members"), wide: form.output == .wide))
            } catch {
                lines = ["chappe: \(Complaint(error).message)"]
            }
            let text = lines.map { "\($0)\u{1B}[K\n" }.joined()
            screen.put(Array("\u{1B}[H\(text)\u{1B}[J".utf8))
        } while screen.pause(Self.pause) != nil
        return .ok
    }

    private struct Change: Encodable {
        var schema = AdminAPI.schema
        var at: Moment
        var member: MemberRow
    }

    private func follow(_ client: AdminClient, on screen: Screen) throws -> Outcome {
        var known: [String: String] = [:]
        var now: Timestamp? = screen.now
        while let time = now {
            let list: MemberList = try client.get("cluster/members")
            for row in list.members {
                let words = row.note.isEmpty ? row.letters : "\(row.letters)  \(row.note)"
                guard known.updateValue(words, forKey: row.node) != words else { continue }
                if form.isTable {
                    screen.say(Table.harmless("\(Moment(time))  \(row.name)  \(words)"))
                } else {
                    try screen.sayJSONLine(Change(at: Moment(time), member: row))
                }
            }
            for gone in Set(known.keys).subtracting(list.members.map(\.node)).sorted() {
                known[gone] = nil
                if form.isTable { screen.say(Table.harmless("\(Moment(time))  \(gone.prefix(16))  gone")) }
            }
            now = screen.pause(Self.pause)
        }
        return .ok
    }
}
