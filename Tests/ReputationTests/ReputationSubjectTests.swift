import MailValues
import Reputation
import Testing

@Suite("Subjects of reputation")
struct ReputationSubjectTests {
    private let samples: [ReputationSubject] = [
        .network(Network("192.0.2.1/32")!), .network(Network("192.0.2.0/24")!),
        .network(Network("2001:db8:1:2::/64")!), .network(Network("2001:db8:1::/48")!), .system(64_500),
        .domain("example.org"), .signer("example.org"), .account("ada"),
    ]

    @Test("a subject is the same after its octets, and no two subjects share them")
    func roundTrips() {
        for subject in samples { #expect(ReputationSubject(octets: subject.octets) == subject) }
        #expect(Set(samples.map(\.octets)).count == samples.count)
    }

    @Test(
        "octets that no node writes are no subject",
        arguments: [
            [], [9, 1], [4, 32, 1, 2, 3], [4, 25, 1, 2, 3, 0], [4, 24, 1, 2, 3, 4], [1, 0, 0, 0], [2],
            [2, 0xFF],
            [6, 64] + [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 1, 2, 3, 4],
            [2] + [UInt8](repeating: 0x61, count: 256),
        ] as [[UInt8]])
    func refuses(_ octets: [UInt8]) {
        #expect(ReputationSubject(octets: octets) == nil)
    }

    @Test("an address is known by itself and by its neighbourhood")
    func networks() {
        let v4 = ReputationSubject.networks(of: IPAddress("192.0.2.77")!)
        #expect("\(v4.narrow) \(v4.wide)" == "192.0.2.77/32 192.0.2.0/24")
        let v6 = ReputationSubject.networks(of: IPAddress("2001:db8:1:2:3:4:5:6")!)
        #expect("\(v6.narrow) \(v6.wide)" == "2001:db8:1:2::/64 2001:db8:1::/48")
    }
}
