import MailValues

/// Whose link keys are good.
///
/// Each admitted key gets a number that is never given again. The number is the connection's name for as long
/// as it lives, and every message is asked for it: so a key that was withdrawn is refused at the next
/// message, before its connection is gone.
struct Admissions {
    private struct Admitted {
        let number: UInt32
        let node: NodeID
    }

    private var keys: [LinkKey: Admitted] = [:]
    private var nodes: [UInt32: NodeID] = [:]
    private var nextNumber: UInt32 = 1
    private let memberLimit: Int
    private let keysPerMember: Int

    init(memberLimit: Int, keysPerMember: Int) {
        self.memberLimit = memberLimit
        self.keysPerMember = keysPerMember
    }

    /// False if the key is another's, or there is no room.
    mutating func admit(_ key: LinkKey, for node: NodeID) -> Bool {
        if let admitted = keys[key] { return admitted.node == node }
        guard nodes.values.count(where: { $0 == node }) < keysPerMember,
            nodes.count < memberLimit * keysPerMember
        else { return false }
        keys[key] = Admitted(number: nextNumber, node: node)
        nodes[nextNumber] = node
        nextNumber += 1
        return true
    }

    /// Whether the key was good until now.
    mutating func withdraw(_ key: LinkKey) -> Bool {
        guard let admitted = keys.removeValue(forKey: key) else { return false }
        nodes[admitted.number] = nil
        return true
    }

    /// Withdraws all keys of a member; whether there were any.
    mutating func evict(_ node: NodeID) -> Bool {
        let its = keys.filter { $0.value.node == node }.map(\.key)
        for key in its { _ = withdraw(key) }
        return !its.isEmpty
    }

    func number(of key: LinkKey) -> UInt32? { keys[key]?.number }
    func node(of number: UInt32) -> NodeID? { nodes[number] }
}
