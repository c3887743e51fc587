package import Convergence
package import MailValues

/// What one node has seen of a campaign. The fact's lifetime is how long it is on the watch for it.
package struct VerdictFact: Fact {
    /// Messages, reverse-paths and client networks.
    package var seen: UInt64
    package var senders: UInt64
    package var networks: UInt64
    /// The spam score's tenth part, rounded, as the node's filter gives it; 0 to 15.
    package var band: UInt8
    package var first: Timestamp
    package var last: Timestamp
    /// A virus was named, or a person has looked: not only a score.
    package var isCertain: Bool

    package static let bandHighest: UInt8 = 15

    package static let description = FactDescription(
        kind: FactKind(rawValue: 32), name: "verdict", isUrgent: true,
        lifetimeLongest: .seconds(3 * 24 * 3600),
        bounds: FactBounds(keys: 8192, octets: 1 << 20, subjectOctets: 33, valueOctets: 128),
        isRevocable: true)

    package init(
        seen: UInt64, senders: UInt64, networks: UInt64, band: UInt8, first: Timestamp, last: Timestamp,
        isCertain: Bool
    ) {
        self.seen = seen
        self.senders = senders
        self.networks = networks
        self.band = min(band, Self.bandHighest)
        self.first = first
        self.last = last
        self.isCertain = isCertain
    }

    package static func octets(of subject: Fingerprint) -> [UInt8] { subject.octets }
    package static func subject(_ octets: [UInt8]) -> Fingerprint? { Fingerprint(octets: octets) }

    package var octets: [UInt8] {
        var writer = FieldWriter()
        writer.number(1, seen)
        writer.number(2, senders)
        writer.number(3, networks)
        writer.number(4, UInt64(band))
        writer.number(5, UInt64(clamping: first.milliseconds))
        writer.number(6, UInt64(clamping: last.milliseconds))
        writer.number(7, isCertain ? 1 : 0)
        return writer.octets
    }

    package init?(octets: [UInt8]) {
        var numbers = [UInt64](repeating: 0, count: 8)
        var reader = FieldReader(octets)
        while let (field, value) = reader.next() {
            if case .number(let number) = value, (1...7).contains(field) { numbers[Int(field)] = number }
        }
        guard !reader.isBroken, numbers[4] <= UInt64(Self.bandHighest) else { return nil }
        self.init(
            seen: numbers[1], senders: numbers[2], networks: numbers[3], band: UInt8(numbers[4]),
            first: Timestamp(milliseconds: Int64(clamping: numbers[5])),
            last: Timestamp(milliseconds: Int64(clamping: numbers[6])), isCertain: numbers[7] != 0)
    }

    /// What the nodes' words come to: who says so at which version, and the sums for people to read.
    package struct View: Sendable, Equatable {
        package var origins: [NodeID: Version] = [:]
        package var seen: UInt64 = 0
        package var bandHighest: UInt8 = 0
        package var first: Timestamp?
        package var isCertain = false
    }

    package static func merge(_ said: [Said<VerdictFact>]) -> View {
        var view = View()
        for one in said {
            view.origins[one.origin] = one.version
            view.seen =
                view.seen.addingReportingOverflow(one.value.seen).overflow ? .max : view.seen + one.value.seen
            view.bandHighest = max(view.bandHighest, one.value.band)
            view.isCertain = view.isCertain || one.value.isCertain
        }
        view.first = Merge.earliest(said.map { min($0.value.first, $0.stamp) })
        return view
    }
}
