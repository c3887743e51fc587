import MailValues
import QueueEngine

/// What both sides of a leaving must still know after a restart: notes beside the queue.
///
/// A receipt is written with the message that it answers for, in one commit.
enum LeavingNotes {
    struct Content: Sendable {
        /// Of the last leaving; 0: none was ever begun, and no message bears a mark.
        var epoch: UInt64 = 0
        var hasLeft = false
        var receipts: [LeavingFrame.Subject: [Receipt]] = [:]
        var testaments: [LeavingFrame.Subject: UInt64] = [:]
    }

    private static let prefix = Array("leaving/".utf8)
    private static let epochKey = prefix + "epoch".utf8
    private static let leftKey = prefix + "left".utf8
    private static let receiptPrefix = prefix + "receipt/".utf8
    private static let testamentPrefix = prefix + "testament/".utf8
    private static let nodesOctets = 2 * NodeID.sizeOctets

    // MARK: Reading

    /// Waits for the disk.
    static func load(from store: any QueueStore) throws(StoreError) -> Content {
        var content = Content()
        var damaged: [UInt8]?
        try store.notes(under: prefix) { key, value in
            guard take(key, value, into: &content) else {
                damaged = key
                return false
            }
            return true
        }
        if let damaged {
            throw .damaged(
                detail: "a note of leaving: \(String(decoding: damaged.prefix(24), as: UTF8.self))")
        }
        return content
    }

    /// False: damaged. A kind that a later version wrote is left alone.
    private static func take(_ key: [UInt8], _ value: [UInt8], into content: inout Content) -> Bool {
        if key == leftKey {
            content.hasLeft = true
            return true
        }
        let isKnown =
            key == epochKey || key.starts(with: receiptPrefix) || key.starts(with: testamentPrefix)
        guard isKnown else { return true }
        guard let number = number(value) else { return false }
        if key == epochKey {
            content.epoch = number
        } else if key.starts(with: receiptPrefix) {
            let rest = key.dropFirst(receiptPrefix.count)
            guard let subject = subject(rest.prefix(nodesOctets)),
                let id = QueueID(octets: rest.dropFirst(nodesOctets))
            else { return false }
            content.receipts[subject, default: []].append(Receipt(id, epoch: number))
        } else {
            guard let subject = subject(key.dropFirst(testamentPrefix.count)) else { return false }
            content.testaments[subject] = number
        }
        return true
    }

    /// The epoch of the receipt that this node gave for a message; nil: it gave none.
    static func receipt(
        _ id: QueueID, _ subject: LeavingFrame.Subject, in store: any QueueStore
    ) throws(StoreError) -> UInt64? {
        var epoch: UInt64?
        try store.notes(under: receiptKey(id, subject)) { _, value in
            epoch = number(value)
            return false
        }
        return epoch
    }

    /// All receipts of a subject.
    static func receipts(
        _ subject: LeavingFrame.Subject, in store: any QueueStore
    ) throws(StoreError) -> [QueueID] {
        let start = receiptPrefix + octets(subject)
        var ids: [QueueID] = []
        try store.notes(under: start) { key, _ in
            if let id = QueueID(octets: key.dropFirst(start.count)) { ids.append(id) }
            return true
        }
        return ids
    }

    // MARK: Writing

    static func epoch(_ epoch: UInt64) -> QueueChange { .note(key: epochKey, value: octets(epoch)) }

    static func left(_ hasLeft: Bool = true) -> QueueChange {
        .note(key: leftKey, value: hasLeft ? [1] : nil)
    }

    static func receipt(_ receipt: Receipt, _ subject: LeavingFrame.Subject) -> QueueChange {
        .note(key: receiptKey(receipt.id, subject), value: octets(receipt.epoch))
    }

    static func forget(_ id: QueueID, _ subject: LeavingFrame.Subject) -> QueueChange {
        .note(key: receiptKey(id, subject), value: nil)
    }

    static func testament(_ subject: LeavingFrame.Subject, number: UInt64) -> QueueChange {
        .note(key: testamentPrefix + octets(subject), value: octets(number))
    }

    // MARK: Octets

    private static func receiptKey(_ id: QueueID, _ subject: LeavingFrame.Subject) -> [UInt8] {
        var key = receiptPrefix
        key.reserveCapacity(receiptPrefix.count + nodesOctets + 16)
        key += subject.leaver.octets
        key += subject.heir.octets
        key += id.octets
        return key
    }

    private static func octets(_ subject: LeavingFrame.Subject) -> [UInt8] {
        subject.leaver.octets + subject.heir.octets
    }

    private static func subject(_ octets: ArraySlice<UInt8>) -> LeavingFrame.Subject? {
        guard octets.count == nodesOctets, let leaver = NodeID(octets: octets.prefix(NodeID.sizeOctets)),
            let heir = NodeID(octets: octets.dropFirst(NodeID.sizeOctets))
        else { return nil }
        return LeavingFrame.Subject(leaver: leaver, heir: heir)
    }

    private static func octets(_ number: UInt64) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    private static func number(_ octets: [UInt8]) -> UInt64? {
        octets.count == 8 ? octets.reduce(0) { $0 << 8 | UInt64($1) } : nil
    }
}
