package import AdminProtocol
import Delivery
import Filtering
import MailValues
import QueueEngine
import Reputation

/// What this node knows of hosts, campaigns and reputations, as commands show it.
extension RelayNode {
    package func blocks() async throws(AdminProblem) -> BlockList {
        var rows: [BlockRow] = []
        for block in knowledge.blocks() {
            rows.append(
                BlockRow(
                    subject: "\(block.subject)", consequence: BlockRow.Consequence(block.consequence),
                    origins: await names(of: block.origins), since: block.since.map(Moment.init),
                    evidence: Self.words(block.protection) + block.evidence,
                    order: block.order.map(OrderRow.init)))
        }
        return BlockList(rows)
    }

    private static func words(_ protection: Protection) -> [String] {
        switch protection {
        case .none: []
        case .partly: ["protected here in part"]
        case .wholly: ["protected here"]
        }
    }

    /// - Parameter fingerprint: one of them, or its beginning; nil: all.
    package func verdicts(_ fingerprint: String?) async throws(AdminProblem) -> VerdictList {
        var rows: [VerdictRow] = []
        for verdict in knowledge.verdicts() {
            guard fingerprint.map({ "\(verdict.fingerprint)".hasPrefix($0) }) ?? true else { continue }
            rows.append(try await row(verdict))
        }
        var revoked: [VerdictList.RevokedOrigin] = []
        for (origin, order) in knowledge.revokedOrigins() {
            revoked.append(
                VerdictList.RevokedOrigin(name: await name(of: origin), order: OrderRow(order)))
        }
        return VerdictList(rows, revokedOrigins: revoked)
    }

    private func row(_ verdict: KnownVerdict) async throws(AdminProblem) -> VerdictRow {
        var origins: [VerdictRow.Origin] = []
        for word in verdict.words {
            let mark = try? await cluster.mark(of: word.origin.hex)
            origins.append(
                VerdictRow.Origin(
                    node: word.origin.hex, name: await name(of: word.origin),
                    incarnation: mark?.incarnation ?? 0, counter: word.counter))
        }
        let ids = dispatcher.bearers(of: verdict.fingerprint)
        let by = "\(Dispatcher.verdictHold)\(verdict.fingerprint)"
        let held =
            ids.isEmpty
            ? 0
            : try await reading { () throws(StoreError) in
                try dispatcher.list(.ids(ids), limit: ids.count) { $0.envelope.hold?.by == by }.count
            }
        return VerdictRow(
            fingerprint: "\(verdict.fingerprint)", consequence: VerdictRow.Consequence(verdict.decision),
            origins: origins,
            seen: verdict.words.reduce(0) { Int(clamping: UInt64(clamping: $0) &+ $1.fact.seen) },
            first: verdict.words.map(\.fact.first).min().map(Moment.init), heldMessages: held,
            order: verdict.condemned.map(OrderRow.init), revocation: verdict.revoked.map(OrderRow.init))
    }

    package func reputation(of subject: String) async throws(AdminProblem) -> ReputationReport {
        guard let subjects = Self.subjects(subject) else {
            throw AdminProblem(
                .badRequest, "expected an address, a network, a domain, `signer DOMAIN` or `account NAME`")
        }
        var rows: [ReputationReport.Row] = []
        for subject in subjects {
            let known = knowledge.reputation(of: subject)
            guard known.own != nil || !known.words.isEmpty else { continue }
            var words: [ReputationReport.Word] = []
            // Our own count, up to this moment, says more than what we last told.
            if let own = known.own { words.append(.init(name: "here", counters: Self.counters(own))) }
            for word in known.words {
                words.append(.init(name: await name(of: word.origin), counters: Self.counters(word.counters)))
            }
            rows.append(
                ReputationReport.Row(
                    subject: "\(subject)", score: Double(known.standing.score),
                    sureness: Double(known.standing.sureness), witnesses: known.standing.witnesses,
                    consequence: ReputationReport.Consequence(known.standing.consequence), words: words))
        }
        return ReputationReport(rows)
    }

    private static func subjects(_ text: String) -> [ReputationSubject]? {
        if let address = IPAddress(text) {
            let (narrow, wide) = ReputationSubject.networks(of: address)
            return [.network(narrow), .network(wide)]
        }
        if let network = Network(text) { return [.network(network)] }
        let words = text.split(separator: " ", maxSplits: 1).map(String.init)
        switch (words.first, words.count) {
        case ("account", 2): return [.account(words[1])]
        case ("signer", 2): return [.signer(Domain(words[1]).name)]
        case (let name?, 1) where name.contains("."): return [.domain(Domain(name).name)]
        default: return nil
        }
    }

    private static func counters(_ counters: Counters) -> [String: Double] {
        var result: [String: Double] = [:]
        for kind in Counters.Kind.allCases where counters[kind] > 0 {
            result["\(kind)"] = Double(counters[kind])
        }
        return result
    }

    // MARK: Names

    private func name(of node: NodeID) async -> String {
        node == SharedKnowledge.nobody ? "here" : await cluster.name(of: node)
    }

    private func names(of nodes: [NodeID]) async -> [String] {
        var names: [String] = []
        for node in nodes { names.append(await name(of: node)) }
        return names
    }
}

extension OrderRow {
    fileprivate init(_ order: KnownOrder) {
        self.init(
            number: order.number, by: order.by, reason: order.reason, isLifted: order.isLifted,
            expires: order.expires.map(Moment.init))
    }
}

extension BlockRow.Consequence {
    fileprivate init(_ consequence: Standing.Consequence) {
        switch consequence {
        case .none: self = .none
        case .slowDown: self = .slow
        case .refuse: self = .refuse
        }
    }
}

extension ReputationReport.Consequence {
    fileprivate init(_ consequence: Standing.Consequence) {
        switch consequence {
        case .none: self = .none
        case .slowDown: self = .slow
        case .refuse: self = .refuse
        }
    }
}

extension VerdictRow.Consequence {
    fileprivate init(_ decision: VerdictDecision) {
        switch decision {
        case .none: self = .none
        case .hold: self = .hold
        case .act: self = .act
        }
    }
}
