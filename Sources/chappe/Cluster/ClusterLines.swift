import AdminProtocol

/// The cluster's part of `chappe status`: counts of members by their letters, sums, and who is not as usual.
enum ClusterLines {
    static func of(_ cluster: NodeStatus.Cluster) -> [(title: String, text: String)] {
        let members = cluster.members
        let letters = counted(members.map(\.letters)).map { "\($0.count) \($0.value)" }
        var first = "\(Wording.count(members.count, "member")): \(letters.joined(separator: " "))"
        for (title, values) in [
            ("config", members.compactMap { $0.load.map { MembersPage.brief($0.configuration) } }),
            ("version", members.compactMap { $0.load?.version }),
        ] {
            let counts = counted(values)
            guard !counts.isEmpty else { continue }
            let words = counts.map { counts.count == 1 ? $0.value : "\($0.value) (\($0.count))" }
            first += "   \(title) \(words.joined(separator: " "))"
        }
        let sums =
            "\(Wording.count(cluster.queuedMessages, "message")) queued   "
            + "\(Wording.count(cluster.acceptedPerMinute)) accepted a minute"
        let threats =
            "\(Wording.count(cluster.blocks, "block"))   \(Wording.count(cluster.verdicts, "verdict"))   "
            + Wording.count(cluster.orders, "order")
        return [("cluster", first), ("", sums), ("threats", threats)]
            + members.filter { $0.letters != "UN" }.map { row in
                let note = row.note.isEmpty ? row.state.rawValue : row.note
                return ("member", "\(row.name)   \(row.letters)   \(note)")
            }
    }

    /// Each value with how often it stands there, the most frequent first.
    private static func counted(_ values: [String]) -> [(value: String, count: Int)] {
        Dictionary(grouping: values) { $0 }.map { (value: $0.key, count: $0.value.count) }
            .sorted { ($1.count, $0.value) < ($0.count, $1.value) }
    }
}
