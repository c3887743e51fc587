import Convergence
import Cryptography
import MailValues
import Testing

@testable import Membership

@Suite struct MemberFactTests {
    private let cluster = ClusterID(octets: [UInt8](repeating: 7, count: 16))!
    private let keys = (1...3).map { Ed25519PrivateKey(seed: [UInt8](repeating: UInt8($0), count: 32))! }

    private func introduction(
        _ number: Int, serial: UInt64 = 1, address: String? = "192.0.2.1"
    ) -> Introduction {
        Introduction(
            link: LinkCertificate(
                linkKey: [UInt8](repeating: UInt8(number * 16) + UInt8(serial), count: 32), serial: serial,
                by: keys[number], in: cluster),
            contact: address.map { LinkContact(address: IPAddress($0)!, controlPort: 7946, bulkPort: 7947) })
    }

    @Test("what a member says of its links is read again, and bent or cut it is nothing or something else")
    func roundTrips() {
        let fact = MemberFact(
            introduction(0), confirmed: [keys[1].node: 3, keys[2].node: 1], oldestSerial: 1)
        #expect(MemberFact(octets: fact.octets) == fact)
        for cut in 0..<fact.octets.count {
            #expect(MemberFact(octets: Array(fact.octets[..<cut])) != fact)
        }
        #expect(fact.octets.count <= MemberFact.description.bounds.valueOctets)
    }

    @Test("nobody speaks of another's links, and the order of words counts for nothing")
    func merges() {
        let said = (0..<3).map { number in
            Said(
                origin: keys[number].node, version: Version(incarnation: 1, counter: 1),
                value: MemberFact(introduction(number == 2 ? 0 : number), confirmed: [:], oldestSerial: 1),
                stamp: Timestamp(seconds: 1))
        }
        let merged = MemberFact.merge(said)
        #expect(Set(merged.keys) == [keys[0].node, keys[1].node])
        #expect(MemberFact.merge(said.reversed()) == merged)
    }

    @Test("a newer key is taken beside the one before, until its owner says that that is gone")
    func directory() {
        var directory = MemberDirectory(cluster: cluster)
        let words = [
            (introduction(0), true), (introduction(0), false),
            // Another place under the same key, a newer key, and the older one again.
            (introduction(0, address: "192.0.2.9"), true), (introduction(0, serial: 2, address: nil), true),
            (introduction(0, serial: 1), false),
        ]
        for (word, isNews) in words {
            let wasTaken = directory.take(word)
            #expect(wasTaken == isNews)
        }
        let node = keys[0].node
        #expect(directory.keys.accepted(of: node).count == 2)
        #expect(directory.introduction(of: node)?.contact?.address == IPAddress("192.0.2.9"))
        directory.confirmed(node)
        #expect(directory.keys.accepted(of: node) == [introduction(0, serial: 2).link.linkKey])

        var forged = introduction(1)
        forged.link.node = keys[2].node
        let wasTaken = directory.take(forged)
        #expect(!wasTaken, "signed by another")
    }

    @Test("an admission on its way is the admission, with the place where its node is reached")
    func admission() throws {
        var random = SecureRandom()
        let operatorKey = Ed25519PrivateKey.generate()
        let own = introduction(0)
        let token = Token(
            cluster: cluster, operator: operatorKey, doorkeeper: keys[0].node, linkKey: own.link.linkKey,
            number: 5, expires: Timestamp(seconds: 9), using: &random)
        var admission = Admission.founding(
            token, name: "one", link: own.link, contact: own.contact, identity: keys[0])
        #expect(AdmissionFact(octets: AdmissionFact(admission).octets)?.admission == admission)
        #expect(admission.introduction == own)
        #expect(admission.isValid(operatorKey: operatorKey.publicKey, in: cluster))
        admission.contact?.controlPort += 1
        #expect(
            !admission.isValid(operatorKey: operatorKey.publicKey, in: cluster), "the place is signed too")
    }
}
