package import MailValues
package import Membership
package import QueueEngine

/// What a node must still know of its cluster after a restart: notes beside the queue, synced like mail.
///
/// It lies in the same store as the mail, so that a store from a backup is as old in the one as in the other:
/// that is how a restored node is found out.
package struct ClusterStore: Sendable {
    private let store: any QueueStore
    private let lane: any Lane

    package init(_ store: any QueueStore, lane: any Lane) {
        self.store = store
        self.lane = lane
    }

    /// What was stored; nil as long as the node is in no cluster.
    package struct Content: Sendable {
        package var book: AdmissionBook
        /// Of this node; 0: it has never spoken.
        package var incarnation: UInt64 = 0
        /// The last that was seen of others.
        package var seen: [NodeID: UInt64] = [:]
        /// The last word of members that left in order.
        package var departed: [NodeID: Claim] = [:]
        /// How members were reached last.
        package var introductions: [Introduction] = []
        /// The operator's, lifted ones among them.
        package var orders: [Order] = []
        /// It gave its mail away and went: it is a member of nothing until it is let in anew.
        package var hasLeft = false
        /// The members would not have it any more.
        package var isTurnedAway = false
        /// Until when it promised to open to new nodes.
        package var doorUntil: Timestamp?

        /// Whether the store was used under another identity than this: it is a copy of another node's, or the key is new.
        package func isForeign(to node: NodeID) -> Bool { !book.isMember(node) && !book.isEvicted(node) }
    }

    // MARK: Keys

    private static let prefix = Array("cluster/".utf8)

    private static func key(_ name: StaticString, _ rest: [UInt8] = []) -> [UInt8] {
        var key = prefix
        key.append(name)
        return key + rest
    }

    private static let clusterKey = key("cluster")
    private static let incarnationKey = key("incarnation")
    private static let admissionKey = key("admission/")
    private static let evictionKey = key("eviction/")
    private static let seenKey = key("seen/")
    private static let departedKey = key("departed/")
    private static let introductionKey = key("introduction/")
    private static let leftKey = key("left")
    private static let orderKey = key("order/")
    private static let doorKey = key("door")

    // MARK: Reading

    /// Waits for the disk.
    package func load() throws(StoreError) -> Content? {
        var notes: [(key: [UInt8], value: [UInt8])] = []
        try store.notes(under: Self.prefix) { key, value in
            notes.append((key, value))
            return true
        }
        guard let head = notes.first(where: { $0.key == Self.clusterKey })?.value else { return nil }
        guard head.count == ClusterID.sizeOctets + 32,
            let cluster = ClusterID(octets: head.prefix(ClusterID.sizeOctets))
        else { throw .damaged(detail: "the note of the cluster") }
        var content = Content(
            book: AdmissionBook(cluster: cluster, operatorKey: Array(head.dropFirst(ClusterID.sizeOctets))))
        for (key, value) in notes where key != Self.clusterKey {
            guard Self.take(key, value, into: &content) else {
                throw .damaged(
                    detail: "a note of the cluster: \(String(decoding: key.prefix(24), as: UTF8.self))")
            }
        }
        return content
    }

    /// False: damaged. A kind that a later version wrote is left alone.
    private static func take(_ key: [UInt8], _ value: [UInt8], into content: inout Content) -> Bool {
        if key == incarnationKey {
            guard let number = number(value) else { return false }
            content.incarnation = number
        } else if key.starts(with: admissionKey) {
            guard let admission = Admission(decoding: value) else { return false }
            // Of two under one permit the loser's note stays; it is believed no more than on the wire.
            return content.book.take(admission) != .refused
                || content.book.all.contains { $0.number == admission.number }
        } else if key.starts(with: evictionKey) {
            guard let node = NodeID(octets: key.dropFirst(evictionKey.count)), let number = number(value)
            else {
                return false
            }
            _ = content.book.evict(node, number: number)
        } else if key.starts(with: seenKey) {
            guard let node = NodeID(octets: key.dropFirst(seenKey.count)), let number = number(value) else {
                return false
            }
            content.seen[node] = number
        } else if key == doorKey {
            guard let number = number(value) else { return false }
            content.doorUntil = Timestamp(milliseconds: Int64(clamping: number))
        } else if key.starts(with: departedKey) {
            guard let node = NodeID(octets: key.dropFirst(departedKey.count)),
                let incarnation = number(Array(value.prefix(8))),
                let refutation = number(Array(value.dropFirst(8))).flatMap({ UInt32(exactly: $0) })
            else { return false }
            content.departed[node] = Claim(
                node: node, incarnation: incarnation, refutation: refutation, state: .left)
        } else if key == leftKey {
            content.hasLeft = value == hasLeft
            content.isTurnedAway = value == isTurnedAway
        } else if key.starts(with: introductionKey) {
            guard let introduction = Introduction(decoding: value) else { return false }
            content.introductions.append(introduction)
        } else if key.starts(with: orderKey) {
            guard let fact = OrderFact(octets: value) else { return false }
            content.orders.append(fact.order)
        }
        return true
    }

    // MARK: Writing

    /// The whole book, where the node founds or joins a cluster; what it knew of an earlier one goes, but for its own
    /// incarnation. So does what it gave away when it left: it is others', and they have forgotten that they took it from
    /// here, so that nobody could say so any more. Waits for the disk. Nil once it is there, else why not.
    package func found(
        _ book: AdmissionBook, introductions: [Introduction] = [], orders: [Order] = []
    ) async -> StoreError? {
        // † First: once this node is a member again its marks would be settled anew, and all of it delivered twice.
        if let error = await LeavingShell.forgetLeaving(in: store) { return error }
        var changes: [QueueChange] = []
        do throws(StoreError) {
            try store.notes(under: Self.prefix) { key, _ in
                if key != Self.incarnationKey { changes.append(.note(key: key, value: nil)) }
                return true
            }
        } catch { return error }
        changes.append(.note(key: Self.clusterKey, value: book.cluster.octets + book.operatorKey))
        changes += book.all.map(Self.change)
        changes += book.allEvictions.map { Self.change($0.node, evicted: $0.number) }
        changes += introductions.map(Self.change)
        changes += orders.map(Self.change)
        return await commit(changes)
    }

    /// The node is in no cluster, and never was.
    package func forget() async -> StoreError? {
        var changes: [QueueChange] = []
        do throws(StoreError) {
            try store.notes(under: Self.prefix) { key, _ in
                changes.append(.note(key: key, value: nil))
                return true
            }
        } catch { return error }
        return changes.isEmpty ? nil : await commit(changes)
    }

    package func admit(_ admission: Admission) async -> StoreError? {
        await commit([
            Self.change(admission),
            .note(key: Self.evictionKey + admission.node.octets, value: nil),
        ])
    }

    package func evict(_ node: NodeID, number: UInt64) async -> StoreError? {
        await commit([
            Self.change(node, evicted: number), .note(key: Self.admissionKey + node.octets, value: nil),
        ])
    }

    private static let hasLeft: [UInt8] = [1]
    private static let isTurnedAway: [UInt8] = [2]

    package func leave() async -> StoreError? {
        await commit([.note(key: Self.leftKey, value: Self.hasLeft)])
    }

    package func turnedAway() async -> StoreError? {
        await commit([.note(key: Self.leftKey, value: Self.isTurnedAway)])
    }

    package func introduce(_ introduction: Introduction) async -> StoreError? {
        await commit([Self.change(introduction)])
    }

    package func order(_ order: Order) async -> StoreError? {
        await commit([Self.change(order)])
    }

    /// A join line that was printed is good after a restart too.
    package func door(until: Timestamp) async -> StoreError? {
        await commit([
            .note(key: Self.doorKey, value: Self.octets(UInt64(clamping: until.milliseconds)))
        ])
    }

    /// This node's own incarnation; nothing may be said under it before.
    package func persist(incarnation: UInt64) async -> StoreError? {
        await commit([.note(key: Self.incarnationKey, value: Self.octets(incarnation))])
    }

    package func persist(seen incarnation: UInt64, of node: NodeID) async -> StoreError? {
        await commit([.note(key: Self.seenKey + node.octets, value: Self.octets(incarnation))])
    }

    package func persist(departed claim: Claim) async -> StoreError? {
        let value = Self.octets(claim.incarnation) + Self.octets(UInt64(claim.refutation))
        return await commit([.note(key: Self.departedKey + claim.node.octets, value: value)])
    }

    private func commit(_ changes: [QueueChange]) async -> StoreError? {
        await withCheckedContinuation { continuation in
            store.commit(changes, lane: lane) { result in
                switch result {
                case .success: continuation.resume(returning: nil)
                case .failure(let error): continuation.resume(returning: error)
                }
            }
        }
    }

    // MARK: Octets

    private static func change(_ admission: Admission) -> QueueChange {
        .note(key: admissionKey + admission.node.octets, value: admission.octets)
    }

    private static func change(_ order: Order) -> QueueChange {
        .note(key: orderKey + OrderFact.octets(of: order.subject), value: OrderFact(order).octets)
    }

    private static func change(_ introduction: Introduction) -> QueueChange {
        .note(key: introductionKey + introduction.node.octets, value: introduction.octets)
    }

    private static func change(_ node: NodeID, evicted number: UInt64) -> QueueChange {
        .note(key: evictionKey + node.octets, value: octets(number))
    }

    private static func octets(_ number: UInt64) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    private static func number(_ octets: [UInt8]) -> UInt64? {
        octets.count == 8 ? octets.reduce(0) { $0 << 8 | UInt64($1) } : nil
    }
}
