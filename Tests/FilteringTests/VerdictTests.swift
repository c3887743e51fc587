import Convergence
import Filtering
import MailValues
import Testing

private func node(_ number: UInt8) -> NodeID { NodeID(octets: [UInt8](repeating: number, count: 32))! }

@Suite("Verdicts")
struct VerdictTests {
    private func fact(seen: UInt64 = 1, band: UInt8 = 9, isCertain: Bool = false) -> VerdictFact {
        VerdictFact(
            seen: seen, senders: 2, networks: 3, band: band, first: Timestamp(milliseconds: 4),
            last: Timestamp(milliseconds: 5), isCertain: isCertain)
    }

    private func said(by origin: UInt8, _ fact: VerdictFact? = nil) -> Said<VerdictFact> {
        Said(
            origin: node(origin), version: Version(incarnation: 1, counter: UInt64(origin)),
            value: fact ?? self.fact(), stamp: Timestamp(milliseconds: 9))
    }

    @Test(
        "one other node makes us hold, two make us act, our own filter and the operator do so alone",
        arguments: [
            ([], .nothing, .none), ([2], .nothing, .hold), ([2, 3], .nothing, .act), ([1], .nothing, .act),
            ([1, 2], .nothing, .act), ([], .against, .act), ([2], .against, .act),
            ([1, 2, 3], .revoked, .none),
        ] as [([UInt8], VerdictDecision.Ordered, VerdictDecision)])
    func decides(_ origins: [UInt8], _ ordered: VerdictDecision.Ordered, _ decision: VerdictDecision) {
        let view = VerdictFact.merge(origins.map { said(by: $0) })
        #expect(VerdictDecision.decide(view, at: node(1), ordered: ordered) == decision)
    }

    @Test("a single liar brings about a hold at most, however certain and however often it says so")
    func poison() {
        let lie = fact(seen: .max, band: 15, isCertain: true)
        let view = VerdictFact.merge([said(by: 2, lie), said(by: 2, lie)])
        #expect(VerdictDecision.decide(view, at: node(1), ordered: .nothing) == .hold)
    }

    @Test("the law of its merge: in any order the same")
    func law() {
        let said = [
            said(by: 1, fact(seen: .max)), said(by: 2, fact(band: 12)), said(by: 3, fact(isCertain: true)),
        ]
        let truth = VerdictFact.merge(said)
        #expect(truth.seen == .max && truth.bandHighest == 12 && truth.isCertain && truth.origins.count == 3)
        #expect(truth.first == Timestamp(milliseconds: 4))
        for turn in 0..<3 { #expect(VerdictFact.merge(Array(said[turn...] + said[..<turn])) == truth) }
    }

    @Test("octets lead back to verdicts and revocations")
    func coding() throws {
        #expect(VerdictFact(octets: fact().octets) == fact())
        #expect(VerdictFact(octets: [0x20, 16]) == nil, "there are 16 bands")
        let fingerprint = try #require(Fingerprint(.body, digest: [UInt8](repeating: 3, count: 32)))
        for subject in [Revocation.Subject.fingerprint(fingerprint), .origin(node(4))] {
            let revocation = Revocation(
                subject,
                covered: [
                    node(1): Version(incarnation: 2, counter: 3),
                    node(2): Version(incarnation: 0, counter: 9),
                ])
            #expect(Revocation(subject: revocation.subjectOctets, revocation.octets) == revocation)
        }
        #expect(Revocation(subject: [1, 2], []) == nil)
        #expect(Revocation(subject: [2] + node(1).octets, [0x0A, 0x01, 0x08]) == nil)
    }
}
