package import Convergence
internal import MailValues

/// What one node counted about a subject, as it stood when it was said; it decays from then.
package struct ReputationFact: Fact {
    package var counters: Counters

    package static let description = FactDescription(
        kind: FactKind(rawValue: 16), name: "reputation", isUrgent: false,
        // After three half-lives an eighth is left: what still matters is said again before.
        lifetimeLongest: .seconds(3 * 24 * 3600),
        bounds: FactBounds(
            keys: 16_384, octets: 2 << 20, subjectOctets: ReputationSubject.nameOctetsLongest + 1,
            valueOctets: 64), isRevocable: true)

    package init(counters: Counters) { self.counters = counters }

    package static func octets(of subject: ReputationSubject) -> [UInt8] { subject.octets }
    package static func subject(_ octets: [UInt8]) -> ReputationSubject? { ReputationSubject(octets: octets) }

    package var octets: [UInt8] {
        var writer = FieldWriter()
        for kind in Counters.Kind.allCases { writer.float(UInt8(kind.rawValue + 1), counters[kind]) }
        return writer.octets
    }

    package init?(octets: [UInt8]) {
        counters = .zero
        var reader = FieldReader(octets)
        while let (field, value) = reader.next() {
            guard case .float(let count) = value, let kind = Counters.Kind(rawValue: Int(field) - 1) else {
                continue
            }
            // Neither a number below nothing nor none at all: sums must stay sums.
            guard count >= 0, count <= Counters.highest else { return nil }
            counters[kind] = count
        }
        if reader.isBroken { return nil }
    }

    /// The sum, capped for each origin and each counter.
    package static func merge(_ said: [Said<ReputationFact>]) -> Counters {
        Counters.cappedSum(said.map(\.value.counters))
    }
}

extension Counters {
    static func cappedSum(_ said: [Counters]) -> Counters {
        if said.count < 3 { return said.reduce(.zero) { Counters(lanes: $0.lanes + $1.lanes) } }
        var result = Counters.zero
        for kind in Kind.allCases { result[kind] = Merge.cappedSum(said.map { $0[kind] }) }
        return result
    }
}
