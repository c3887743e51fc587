import AdminClient
import AdminProtocol
import MailValues

extension MemberList {
    /// The fewest digits of an id by which a member may be named.
    private static var idDigitsLeast: Int { 4 }

    /// A member by its name, or by the beginning of its id.
    func member(_ text: String) throws -> MemberRow {
        let wanted = text.lowercased()
        if let row = members.first(where: { $0.name.lowercased() == wanted }) { return row }
        let rows =
            wanted.utf8.count < Self.idDigitsLeast ? [] : members.filter { $0.node.hasPrefix(wanted) }
        guard rows.count < 2 else {
            throw Complaint(
                "several members' ids begin with \(Table.harmless(text)): give more of it", .usage)
        }
        guard let row = rows.first else {
            let names = members.map(\.name).joined(separator: ", ")
            throw Complaint(Table.harmless("no member is called \(text): there are \(names)"), .usage)
        }
        return row
    }
}

extension MemberRow {
    var id: NodeID {
        get throws {
            guard let id = NodeID(hex: node) else {
                throw Complaint("the node names a member that makes no sense: \(Table.harmless(node))")
            }
            return id
        }
    }

    var isUp: Bool { letters.hasPrefix("U") }

    /// What the two letters do not say.
    var note: String {
        var words: [String] = []
        switch state {
        case .suspect: words.append("not heard, asked after")
        case .parked: words.append("parked: means to be back soon")
        case .sick: words.append("its store is sick")
        case .quarantined: words.append("wrong key, a restored store, or evicted")
        case .dead: words.append("does not answer")
        case .left: words.append("has left")
        case .joining, .alive, .draining, .leaving: break
        }
        if let load, !load.isReady, state == .alive { words.append("takes no mail") }
        if isSelf { words.append("this node") }
        return words.joined(separator: "; ")
    }
}

/// The members as a table.
enum MembersPage {
    static func table(_ list: MemberList, wide: Bool) -> Table {
        var table = Table(
            [
                ("ST", .left), ("NODE", .left), ("ADDR", .left), ("VER", .left), ("CFG", .left),
                ("QUEUE", .right), ("IN/MIN", .right), ("SET", .left),
            ]
                + (wide
                    ? [("SIZE", .right), ("FREE", .right), ("STARTS", .right), ("ID", .left)] : [])
                + [("NOTE", .left)])
        for row in list.members {
            let load = row.load
            var cells = [
                row.letters, row.name, row.address ?? "-", load?.version ?? "-",
                load.map { brief($0.configuration) } ?? "-",
                load.map { Wording.count($0.queuedMessages) } ?? "-",
                load.map { Wording.count($0.acceptedPerMinute) } ?? "-",
                load.map { $0.set == list.set ? "newest" : $0.set < list.set ? "older" : "newer" } ?? "-",
            ]
            if wide {
                cells += [
                    load.map { Wording.octets($0.queuedOctets) } ?? "-",
                    load.map { Wording.octets($0.freeOctets) } ?? "-", "\(row.incarnation)", row.node,
                ]
            }
            table.add(cells + [row.note])
        }
        return table
    }

    /// A digest, of which people only see whether two are the same.
    static func brief(_ digest: String) -> String { String(digest.prefix(6)) }
}
