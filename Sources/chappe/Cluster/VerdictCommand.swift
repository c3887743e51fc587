import AdminClient
import AdminProtocol
import ArgumentParser
import Filtering
import MailValues

/// `chappe verdict …`: what messages of one campaign have in common, and what is done about it.
struct VerdictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verdict", abstract: "Campaigns that are held or refused on all nodes.",
        subcommands: [
            VerdictListCommand.self, VerdictShowCommand.self, VerdictAddCommand.self,
            VerdictRevokeCommand.self,
        ])
}

/// `chappe verdict ls`
struct VerdictListCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "The fingerprints that are known, and what this node does about them.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let list: VerdictList = try client.get("verdicts")
        try screen.answer(
            form, list, rows: list.verdicts, brief: list.verdicts.map(\.fingerprint),
            page: form.lines(VerdictPage.table(list.verdicts, wide: form.output == .wide, now: screen.now))
                + list.revokedOrigins.map(VerdictPage.revoked))
        return .ok
    }
}

/// `chappe verdict show FINGERPRINT`
struct VerdictShowCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Who says what of a fingerprint, and what the operator ordered.")

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @Argument(help: "It, or enough of its beginning.") var fingerprint: String

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        let row = try VerdictSearch.row(fingerprint, client)
        guard let row else { throw Complaint("nothing is known of this fingerprint", .partial) }
        try screen.answer(
            form, row, brief: [row.consequence.rawValue], page: VerdictPage.lines(row, now: screen.now))
        return .ok
    }
}

/// Fingerprints are long; the beginning of one will do where only one begins so.
enum VerdictSearch {
    static func row(_ text: String, _ client: AdminClient) throws -> VerdictRow? {
        let wanted = text.lowercased()
        if Fingerprint(wanted) != nil {
            let list: VerdictList = try client.get("verdicts", query: [("fingerprint", wanted)])
            return list.verdicts.first { $0.fingerprint == wanted }
        }
        let rows = try (client.get("verdicts") as VerdictList).verdicts.filter {
            $0.fingerprint.hasPrefix(wanted)
                || $0.fingerprint.drop { $0 != ":" }.dropFirst().hasPrefix(wanted)
        }
        guard rows.count < 2 else {
            throw Complaint(
                "\(Wording.count(rows.count, "fingerprint")) begin with \(Table.harmless(text)): give more of it",
                .usage)
        }
        return rows.first
    }
}

enum VerdictPage {
    static func table(_ rows: [VerdictRow], wide: Bool, now: Timestamp) -> Table {
        var table = Table([
            ("FINGERPRINT", .left), ("DOES", .left), ("HELD", .right), ("SEEN", .right), ("FIRST", .right),
            ("BY", .left), ("UNTIL", .left), ("WHY", .left),
        ])
        for row in rows {
            let order = row.revocation ?? row.order
            table.add([
                wide ? row.fingerprint : brief(row.fingerprint),
                row.consequence == .none ? "-" : row.consequence.rawValue, Wording.count(row.heldMessages),
                Wording.count(row.seen), row.first.map { Wording.age(of: $0, now: now) } ?? "-",
                row.revocation.map { "revoked by \($0.by)" }
                    ?? OrderWords.by(row.order, lifted: "taken back", origins: row.origins.map(\.name)),
                Wording.wait(until: order?.expires, now: now), order?.reason ?? "",
            ])
        }
        return table
    }

    /// Kind and twelve digits: enough to tell campaigns apart, and to name one.
    static func brief(_ fingerprint: String) -> String {
        guard let colon = fingerprint.firstIndex(of: ":") else { return fingerprint }
        return String(fingerprint[...colon]) + fingerprint[fingerprint.index(after: colon)...].prefix(12)
    }

    static func revoked(_ origin: VerdictList.RevokedOrigin) -> String {
        Table.harmless(
            "all that \(origin.name) says is revoked by \(origin.order.by): \(origin.order.reason)")
    }

    static func lines(_ row: VerdictRow, now: Timestamp) -> [String] {
        var lines = [
            row.fingerprint,
            "\(row.consequence == .none ? "nothing is done" : "does \(row.consequence.rawValue)"); "
                + "\(Wording.count(row.heldMessages, "message")) held here; seen \(Wording.count(row.seen))"
                + (row.first.map { ", first \(Wording.age(of: $0, now: now)) ago" } ?? ""),
        ]
        for origin in row.origins {
            lines.append("  \(origin.name) says so (\(origin.incarnation).\(origin.counter))")
        }
        if let order = row.order {
            lines.append(words(order, order.isLifted ? "taken back" : "ordered", now))
        }
        if let order = row.revocation { lines.append(words(order, "revoked", now)) }
        return lines.map(Table.harmless)
    }

    private static func words(_ order: OrderRow, _ verb: String, _ now: Timestamp) -> String {
        let end = order.expires.map { ", over \(Wording.wait(until: $0, now: now))" } ?? ""
        return "  \(verb) by \(order.by): \(order.reason)\(end)"
    }
}
