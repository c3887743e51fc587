package import Convergence
package import MailValues

/// How a member is reached now, by its own word, and whose newest link keys it knows.
package struct MemberFact: Fact {
    package var introduction: Introduction
    /// Of each other member the serial of the newest key that this one has stored: a key is given up once all
    /// members have confirmed the one after it.
    package var confirmed: [NodeID: UInt64]
    /// The oldest serial under which its links may still come: what is older is good no longer. † Its own word alone says so:
    /// that all have confirmed the newest key others may know before it does, and would turn it away.
    package var oldestSerial: UInt64

    /// Members that one fact can speak of.
    package static let confirmedLongest = 256

    package static let description = FactDescription(
        kind: FactKind(rawValue: 11), name: "member", isUrgent: true, lifetimeLongest: nil,
        bounds: FactBounds(keys: 1, octets: 16 << 10, subjectOctets: 0, valueOctets: 16 << 10))

    package init(_ introduction: Introduction, confirmed: [NodeID: UInt64], oldestSerial: UInt64) {
        self.introduction = introduction
        self.confirmed = confirmed
        self.oldestSerial = oldestSerial
    }

    package static func octets(of subject: MemberLoad.Myself) -> [UInt8] { [] }
    package static func subject(_ octets: [UInt8]) -> MemberLoad.Myself? {
        octets.isEmpty ? MemberLoad.Myself() : nil
    }

    package var octets: [UInt8] {
        var writer = FieldWriter()
        writer.bytes(1, introduction.octets)
        for (node, serial) in confirmed.sorted(by: { $0.key < $1.key }).prefix(Self.confirmedLongest) {
            var entry = FieldWriter()
            entry.bytes(1, node.octets)
            entry.number(2, serial)
            writer.element(2, entry.octets)
        }
        writer.number(3, oldestSerial)
        return writer.octets
    }

    package init?(octets: [UInt8]) {
        var introduction: Introduction?
        confirmed = [:]
        oldestSerial = 0
        var reader = FieldReader(octets)
        while let (field, value) = reader.next() {
            switch (field, value) {
            case (1, .bytes(let octets)): introduction = Introduction(decoding: Array(octets))
            case (2, .bytes(let octets)):
                guard confirmed.count < Self.confirmedLongest, let (node, serial) = Self.entry(octets) else {
                    return nil
                }
                confirmed[node] = serial
            case (3, .number(let serial)): oldestSerial = serial
            default: break
            }
        }
        guard !reader.isBroken, let introduction else { return nil }
        self.introduction = introduction
    }

    private static func entry(_ octets: ArraySlice<UInt8>) -> (NodeID, UInt64)? {
        var reader = FieldReader(octets)
        var node: NodeID?
        var serial: UInt64 = 0
        while let (field, value) = reader.next() {
            switch (field, value) {
            case (1, .bytes(let octets)): node = NodeID(octets: octets)
            case (2, .number(let number)): serial = number
            default: break
            }
        }
        guard !reader.isBroken, let node else { return nil }
        return (node, serial)
    }

    /// As is: what each member says of itself. Who speaks of another is not heard.
    package static func merge(_ said: [Said<MemberFact>]) -> [NodeID: MemberFact] {
        var members: [NodeID: MemberFact] = [:]
        for one in said where one.value.introduction.node == one.origin { members[one.origin] = one.value }
        return members
    }
}
