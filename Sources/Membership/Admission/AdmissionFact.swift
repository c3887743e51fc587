package import Convergence
package import MailValues

/// An admission on its way: any member may say it, for it proves itself.
///
/// The doorkeeper says it at once. What no member says any more is said anew by the lowest of the living, so
/// that who was away when it happened hears of it.
package struct AdmissionFact: Fact {
    package var admission: Admission

    package static let description = FactDescription(
        kind: FactKind(rawValue: 10), name: "admission", isUrgent: true, lifetimeLongest: nil,
        bounds: FactBounds(
            keys: AdmissionBook.countLongest, octets: 4 << 20, subjectOctets: 32,
            valueOctets: Admission.octetLimit, overflow: .refuse))

    package init(_ admission: Admission) { self.admission = admission }

    package static func octets(of subject: NodeID) -> [UInt8] { subject.octets }
    package static func subject(_ octets: [UInt8]) -> NodeID? { NodeID(octets: octets) }

    package var octets: [UInt8] { admission.octets }

    package init?(octets: [UInt8]) {
        guard let admission = Admission(decoding: octets) else { return nil }
        self.admission = admission
    }

    /// The newest. `AdmissionBook` says whether it is to be believed.
    package static func merge(_ said: [Said<AdmissionFact>]) -> Admission? {
        Merge.highest(said.map(\.value), number: { $0.admission.number }, octets: { $0.octets })?.admission
    }
}
