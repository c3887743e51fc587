package import Convergence
package import MailValues

/// How a member fares, by its own account. Others show it, and choose heirs and holders by it.
package struct MemberLoad: Fact {
    package var queuedMessages: UInt64 = 0
    package var queuedOctets: UInt64 = 0
    /// Copies held for others.
    package var copies: UInt64 = 0
    package var freeOctets: UInt64 = 0
    /// Messages accepted in the last minute.
    package var acceptedPerMinute: UInt64 = 0
    /// The newest version of the wire that it speaks, and the version of what it stores.
    package var wireVersion: UInt64 = 0
    package var storeVersion: UInt64 = 0
    /// The program's version, for people.
    package var release = ""
    /// The first eight octets of the digest of its configuration: equal or not is all that anybody asks.
    package var configuration: UInt64 = 0
    /// The number of the newest admitted set that it has stored (the confirmation that shares wait for).
    package var admittedSet: UInt64 = 0
    /// Whether it takes mail.
    package var isReady = false
    /// Whether it gives its queue away.
    package var isLeaving = false
    /// Whether its store takes no writes.
    package var isSick = false
    /// Whether it delivers nothing: its store is older than what others saw of it.
    package var isQuarantined = false

    package static let releaseOctetsLongest = 64
    /// Messages are never believed to be more: sums over all members must stay sums.
    package static let messagesHighest = UInt64(1) << 50

    package static let description = FactDescription(
        kind: FactKind(rawValue: 9), name: "load", isUrgent: false, lifetimeLongest: .seconds(120),
        bounds: FactBounds(keys: 1, octets: 1024, subjectOctets: 0, valueOctets: 512))

    package init() {}

    /// A node speaks of itself only, so the subject is in the origin.
    package struct Myself: Hashable, Sendable {
        package init() {}
    }

    package static func octets(of subject: Myself) -> [UInt8] { [] }
    package static func subject(_ octets: [UInt8]) -> Myself? { octets.isEmpty ? Myself() : nil }

    package var octets: [UInt8] {
        var writer = FieldWriter()
        let numbers = [
            queuedMessages, queuedOctets, copies, freeOctets, acceptedPerMinute, wireVersion, storeVersion,
            configuration, admittedSet, isReady ? 1 : 0,
        ]
        for (index, number) in numbers.enumerated() { writer.number(UInt8(index + 1), number) }
        writer.bytes(11, release.utf8.prefix(Self.releaseOctetsLongest))
        writer.number(12, isLeaving ? 1 : 0)
        writer.number(13, isSick ? 1 : 0)
        writer.number(14, isQuarantined ? 1 : 0)
        return writer.octets
    }

    package init?(octets: [UInt8]) {
        var numbers = [UInt64](repeating: 0, count: 15)
        var reader = FieldReader(octets)
        while let (field, value) = reader.next() {
            switch value {
            case .number(let number): if (1...14).contains(field) { numbers[Int(field)] = number }
            case .bytes(let text):
                guard field == 11 else { continue }
                guard text.count <= Self.releaseOctetsLongest,
                    let text = String(validating: text, as: UTF8.self)
                else { return nil }
                release = text
            case .float: break
            }
        }
        if reader.isBroken { return nil }
        for index in [1, 5] { numbers[index] = min(numbers[index], Self.messagesHighest) }
        (queuedMessages, queuedOctets, copies) = (numbers[1], numbers[2], numbers[3])
        (freeOctets, acceptedPerMinute) = (numbers[4], numbers[5])
        (wireVersion, storeVersion, configuration) = (numbers[6], numbers[7], numbers[8])
        (admittedSet, isReady) = (numbers[9], numbers[10] != 0)
        (isLeaving, isSick, isQuarantined) = (numbers[12] != 0, numbers[13] != 0, numbers[14] != 0)
    }

    // MARK: News

    /// What is measured may differ by this part of itself, and others know it well enough.
    private static let part: UInt64 = 8

    /// Whether others should hear this where they heard `said` before. What is decided by it (who takes mail, who has confirmed
    /// which set) is news however little it changed; what only grows and shrinks, if it did so by an eighth.
    package func isNews(after said: MemberLoad) -> Bool {
        var measured = self
        (measured.queuedMessages, measured.queuedOctets) = (said.queuedMessages, said.queuedOctets)
        (measured.copies, measured.freeOctets) = (said.copies, said.freeOctets)
        measured.acceptedPerMinute = said.acceptedPerMinute
        guard measured == said else { return true }
        let pairs = [
            (queuedMessages, said.queuedMessages), (queuedOctets, said.queuedOctets), (copies, said.copies),
            (freeOctets, said.freeOctets), (acceptedPerMinute, said.acceptedPerMinute),
        ]
        return pairs.contains { now, before in
            max(now, before) - min(now, before) > max(now, before) / Self.part
        }
    }

    /// As is: what each member says of itself.
    package static func merge(_ said: [Said<MemberLoad>]) -> [NodeID: MemberLoad] {
        Dictionary(uniqueKeysWithValues: said.map { ($0.origin, $0.value) })
    }
}
