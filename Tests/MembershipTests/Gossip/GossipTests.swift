import Convergence
import Cryptography
import MailValues
import Testing

@testable import Membership

@Suite("Gossip")
struct GossipTests {
    @Test("an urgent fact goes to every peer at once, and a batch costs each one check")
    func pushes() throws {
        var bench = GossipBench(nodes: 4)
        try bench.say(7, about: "a", at: 0)
        #expect((1...3).allSatisfy { bench.known("a", at: $0) == 7 })
        #expect(bench.sent.count == 3)
        for number in 0..<20 { try bench.say(1, about: "b\(number)", at: 0) }
        #expect(
            bench.known("b0", at: 1) == 0, "within 10 ms of the last signature they wait for one of their own"
        )
        bench.run(for: 10)
        #expect((1...3).allSatisfy { bench.known("b19", at: $0) == 1 })
        #expect((1...3).allSatisfy { bench.machines[$0].signatureChecks == 2 })
    }

    @Test(
        "who is asked shows how far it knows us and gets what it lacks; a frame that was sent counts for nothing"
    )
    func asks() throws {
        var bench = GossipBench(nodes: 3)
        bench.loss = 1_000
        try bench.say(7, about: "a", at: 0)
        let version = try #require(
            bench.machines[0].replica.version(of: TestFact.key("a"), by: bench.keys[0].node))
        func lacking() -> Int {
            (1...2).count { number in
                bench.machines[0].known[bench.keys[number].node].map { $0 < version } ?? true
            }
        }
        bench.ask(at: 0)
        #expect(lacking() == 2 && bench.known("a", at: 1) == 0)
        bench.loss = 0
        bench.ask(at: 0)
        #expect(bench.known("a", at: 1) == 7 && bench.known("a", at: 2) == 7)
        bench.ask(at: 0)
        #expect(lacking() == 0)
        // Who is no member any more confirms nothing.
        var actions: [Gossip.Action] = []
        bench.machines[0].setMembers([bench.keys[0].node, bench.keys[1].node], into: &actions)
        #expect(lacking() == 1)
    }

    @Test("what a push did not bring, a round does", arguments: 1...20)
    func repairs(_ seed: Int) throws {
        var bench = GossipBench(nodes: 5, seed: UInt64(seed))
        bench.loss = 500
        for number in 0..<40 {
            try bench.say(UInt64(number), about: "n\(number % 10)", at: number % 5)
            bench.run(for: 20)
        }
        bench.loss = 0
        bench.run(for: 4_000)
        for name in 0..<10 {
            #expect((0..<5).allSatisfy { bench.known("n\(name)", at: $0) == UInt64(30 + name) })
        }
        #expect(bench.refusals.isEmpty)
        let marks = bench.machines.map { $0.replica.marks }
        #expect(marks.allSatisfy { $0 == marks[0] })
    }

    @Test("while nothing happens a round costs eight octets, and the first news ends that")
    func quiet() throws {
        var bench = GossipBench(nodes: 3)
        try bench.say(1, about: "a", at: 0)
        bench.run(for: 3_000)
        bench.sent.removeAll()
        bench.run(for: 2_000)
        #expect(bench.sent.count == 6, "a round a second each")
        for message in bench.sent {
            guard case .summary = message else {
                Issue.record("\(message)")
                continue
            }
        }
        try bench.say(2, about: "a", at: 0)
        bench.sent.removeAll()
        bench.run(for: 1_000)
        #expect(bench.sent.count >= 15, "all who have news tell each other, five times a second")
    }

    @Test("what got lost on its way while nothing else happens comes with the next rounds")
    func lost() throws {
        var bench = GossipBench(nodes: 3)
        bench.run(for: 3_000)
        bench.loss = 1000
        try bench.say(1, about: "a", at: 0)
        bench.run(for: 3_000)
        #expect(bench.known("a", at: 1) == 0 && bench.known("a", at: 2) == 0)
        bench.loss = 0
        bench.run(for: 1_000)
        #expect((1...2).allSatisfy { bench.known("a", at: $0) == 1 })
    }

    @Test("rounds go to all peers in turn, to who is new at once, and tell each what we hold of words")
    func turns() {
        let key = Ed25519PrivateKey(seed: [UInt8](repeating: 1, count: 32))!
        var gossip = Gossip(
            cluster: GossipBench.cluster, key: key, incarnation: 1, table: GossipBench.table, now: .start)
        var dice = Dice(state: 4)
        var actions: [Gossip.Action] = []
        let peers = Set((1...9).map(node))
        gossip.setMembers(peers.union([node(10)]), into: &actions)
        gossip.setPeers(peers, now: .start)
        gossip.words = WordSums(orders: 5, admissions: 6)
        func rounds(_ count: Int, from start: Int64) -> [NodeID] {
            actions = []
            for round in 0..<Int64(count) {
                let now = start + round * 1_000
                let clock = ClockReading(uptime: at(now), wall: Timestamp(milliseconds: now))
                gossip.tick(now: clock, using: &dice, into: &actions)
            }
            return actions.compactMap { action in
                guard case .send(let message, let peers) = action, message.words == gossip.words else {
                    return nil
                }
                return peers.first
            }
        }
        for turn in 0..<5 {
            let asked = rounds(9, from: Int64(turn) * 9_000)
            #expect(asked.count == 9 && Set(asked) == peers)
        }
        _ = rounds(4, from: 45_000)
        gossip.setPeers(peers.union([node(10)]), now: at(48_100))
        #expect(rounds(1, from: 48_300) == [node(10)])
        gossip.setPeers([], now: at(49_000))
        #expect(rounds(3, from: 50_000).isEmpty)
    }

    @Test("who lacks much gets it in one go, slice by slice")
    func catchesUp() throws {
        var settings = GossipSettings()
        settings.frameOctets = 4096
        var bench = GossipBench(nodes: 2, settings: settings)
        bench.loss = 1000
        for number in 0..<2_000 { try bench.say(1, about: "n\(number)", at: 0) }
        bench.run(for: 10)
        bench.loss = 0
        bench.run(for: 400)
        #expect(
            bench.machines[1].replica.statements(by: bench.keys[0].node, now: bench.clock.uptime).count
                == 2_000)
    }

    @Test("what a revoked node said is kept and shown to nobody, until the revocation is over")
    func revokes() throws {
        var bench = GossipBench(nodes: 2)
        try bench.say(7, about: "a", at: 0)
        var actions: [Gossip.Action] = []
        let origin = bench.keys[0].node
        let all = Version(incarnation: .max, counter: .max)
        bench.machines[1].setRevoked([origin: all], now: .start, into: &actions)
        #expect(actions == [.changed([.withdrawn(origin, TestFact.key("a"))])])
        bench.run(for: 20)
        try bench.say(9, about: "b", at: 0)
        #expect(bench.known("a", at: 1) == 0 && bench.known("b", at: 1) == 0)
        #expect(bench.machines[1].statistics.taken == 2)
        bench.machines[1].setRevoked([:], now: bench.clock.uptime, into: &actions)
        #expect(bench.known("a", at: 1) == 7 && bench.known("b", at: 1) == 9)
    }
}

@Suite("Facts that are not believed")
struct FactRefusalTests {
    /// A push of node 0's, taken from the wire before node 2 saw it.
    private func bench() throws -> (GossipBench, [TravellingFact]) {
        var bench = GossipBench(nodes: 3)
        bench.loss = 1000
        try bench.say(1, about: "a", at: 0)
        try bench.say(2, about: "b", at: 0)
        try bench.say(3, about: "c", at: 0)
        bench.run(for: 10)
        bench.loss = 0
        let facts = bench.sent.flatMap { message -> [TravellingFact] in
            if case .push(let facts) = message { facts } else { [] }
        }
        return (bench, facts)
    }

    private func resealed(_ fact: TravellingFact, _ change: (SignedBatch) -> SignedBatch) -> TravellingFact {
        var fact = fact
        guard let seal = fact.record.seal else { return fact }
        fact.record.seal = Seal(batch: change(seal.batch), path: seal.path)
        return fact
    }

    private func changed(
        _ batch: SignedBatch, origin: NodeID? = nil, incarnation: UInt64? = nil, last: UInt64? = nil,
        root: [UInt8]? = nil, signature: [UInt8]? = nil
    ) -> SignedBatch {
        SignedBatch(
            origin: origin ?? batch.origin, incarnation: incarnation ?? batch.incarnation,
            last: last ?? batch.last, count: batch.count, root: root ?? batch.root,
            signature: signature ?? batch.signature)
    }

    @Test("as it was signed it is believed, whoever brings it")
    func believed() throws {
        var (bench, facts) = try bench()
        bench.deliver(.push(facts), to: 2, from: 1)
        #expect(bench.refusals.isEmpty && bench.known("c", at: 2) == 3)
    }

    @Test("bent in any part, it teaches nothing and its bearer is named")
    func bent() throws {
        let (fresh, facts) = try bench()
        let fact = try #require(facts.last)
        let liar = fresh.keys[1].node
        var bends: [(String, TravellingFact)] = []
        func bend(_ name: String, _ change: (inout TravellingFact) -> Void) {
            var bent = fact
            change(&bent)
            bends.append((name, bent))
        }
        bend("value") { $0.record.value = Array("9".utf8) }
        bend("deletion") { $0.record.value = nil }
        bend("subject") { $0.record.key.subject = Array("z".utf8) }
        bend("kind") { $0.record.key.kind = FactKind(rawValue: 2) }
        bend("lifetime") { $0.record.lifetime = 1 << 40 }
        bend("stamp") { $0.record.stamp = Timestamp(milliseconds: 5) }
        bend("counter") { $0.record.counter -= 1 }
        bend("counter beyond the batch") { $0.record.counter += 1000 }
        bend("no seal") { $0.record.seal = nil }
        bend("path") {
            guard let seal = $0.record.seal else { return }
            $0.record.seal = Seal(batch: seal.batch, path: seal.path + [UInt8](repeating: 0, count: 32))
        }
        bends.append(("origin", resealed(fact) { changed($0, origin: liar) }))
        bends.append(("incarnation", resealed(fact) { changed($0, incarnation: 2) }))
        bends.append(("last", resealed(fact) { changed($0, last: $0.last + 1) }))
        bends.append(("root", resealed(fact) { changed($0, root: [UInt8](repeating: 1, count: 32)) }))
        bends.append(
            ("signature", resealed(fact) { changed($0, signature: [UInt8](repeating: 1, count: 64)) }))
        for (name, bent) in bends {
            var bench = fresh
            bench.deliver(.push([bent]), to: 2, from: 1)
            #expect(bench.refusals.count == 1, "\(name) passed")
            #expect(bench.machines[2].statistics.refused == 1 && bench.machines[2].statistics.taken == 0)
            #expect(bench.machines[2].replica.count == 0, "\(name) taught")
            bench.deliver(.push(facts), to: 2, from: 0)
            #expect(bench.known("c", at: 2) == 3, "after \(name) the truth must still be heard")
        }
    }

    @Test("a frame full of bad signatures costs one check: nobody honest carries what he has not proven")
    func oneCheck() throws {
        var (bench, facts) = try bench()
        let fact = try #require(facts.first)
        let lies = (0..<500).map { number in
            resealed(fact) { changed($0, signature: [UInt8](repeating: UInt8(number % 16), count: 64)) }
        }
        let before = bench.machines[2].signatureChecks
        bench.deliver(.push(lies + facts), to: 2, from: 1)
        #expect(bench.machines[2].signatureChecks == before + 1)
        #expect(bench.refusals.count == 1 && bench.known("a", at: 2) == 0)
    }

    @Test("a fact of another cluster is none, although the node is the same")
    func foreignCluster() throws {
        var (bench, _) = try bench()
        let other = ClusterID(octets: [UInt8](repeating: 8, count: 16))!
        var gossip = Gossip(
            cluster: other, key: bench.keys[0], incarnation: 1, table: GossipBench.table, now: .start)
        var actions: [Gossip.Action] = []
        gossip.setMembers(Set(bench.keys.map(\.node)), into: &actions)
        gossip.setPeers(Set(bench.keys.map(\.node)), now: .start)
        try gossip.say(TestFact(number: 9), about: "a", now: bench.clock, into: &actions)
        for case .send(let message, _) in actions { bench.deliver(message, to: 2, from: 0) }
        #expect(bench.refusals.map(\.1) == [.signature] && bench.machines[2].replica.count == 0)
    }

    @Test("an older word that is sent again changes nothing")
    func replayed() throws {
        var (bench, facts) = try bench()
        bench.deliver(.push(facts), to: 2, from: 0)
        bench.run(for: 20)
        try bench.say(8, about: "a", at: 0)
        #expect(bench.known("a", at: 2) == 8)
        let taken = bench.machines[2].statistics.taken
        bench.deliver(.push(facts), to: 2, from: 1)
        #expect(bench.known("a", at: 2) == 8 && bench.machines[2].statistics.taken == taken)
    }

    @Test("who is no member says nothing, and nothing is said of who is none")
    func strangers() throws {
        var (bench, facts) = try bench()
        var actions: [Gossip.Action] = []
        bench.machines[2].setMembers([bench.keys[1].node, bench.keys[2].node], into: &actions)
        bench.deliver(.push(facts), to: 2, from: 1)
        bench.deliver(.push(facts), to: 2, from: 0)
        #expect(bench.refusals.map(\.1) == [.stranger, .stranger] && bench.machines[2].replica.count == 0)
    }

    @Test("a range with a bent fact in it moves no mark, and the next bearer fills it")
    func bentDelta() throws {
        var (bench, _) = try bench()
        let digest = bench.machines[2].replica.digest()
        var (deltas, _) = bench.machines[0].replica.deltas(
            for: digest, octets: 1 << 20, turn: 0, now: bench.clock.uptime)
        let whole = deltas
        deltas[0].facts[1].record.value = Array("66".utf8)
        bench.deliver(.deltas(deltas, isCut: false), to: 2, from: 1)
        #expect(bench.machines[2].replica.marks[bench.keys[0].node]?.counter ?? 0 == 0)
        #expect(bench.known("a", at: 2) == 1 && bench.known("b", at: 2) == 0)
        bench.deliver(.deltas(whole, isCut: false), to: 2, from: 0)
        #expect(bench.machines[2].replica.marks[bench.keys[0].node]?.counter == 3)
        #expect(bench.known("b", at: 2) == 2)
    }

    @Test("without the check of signatures any bearer writes for any origin")
    func twin() throws {
        let (bench, facts) = try bench()
        var forged = facts
        for index in forged.indices { forged[index].record.value = Array("66".utf8) }
        var credulous = bench.machines[2].replica
        var changes: [FactChange] = []
        _ = credulous.apply(pushed: forged, now: bench.clock, into: &changes)
        #expect(credulous.view(TestFact.self, of: "a", now: bench.clock.uptime) == 66)
        var careful = bench
        careful.deliver(.push(forged), to: 2, from: 1)
        #expect(careful.known("a", at: 2) == 0)
    }
}

@Suite("Merkle tree")
struct MerkleTreeTests {
    @Test("each leaf of a tree of any size climbs to its root, from its own place only")
    func climbs() throws {
        var digest = SHA256()
        for count in [1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 33, 1024] {
            let leaves = (0..<count).map {
                MerkleTree.leaf([UInt8($0 & 255), UInt8($0 >> 8)], using: &digest)
            }
            let places = count <= 33 ? Array(0..<count) : [0, 511, 512, 1023]
            let (root, paths) = MerkleTree.build(leaves, paths: places, using: &digest)
            for (place, path) in zip(places, paths) {
                let found = MerkleTree.climb(
                    from: leaves[place], at: place, of: count, by: path, using: &digest)
                #expect(found == root)
                let shifted = MerkleTree.climb(
                    from: leaves[place], at: (place + 1) % count, of: count, by: path, using: &digest)
                #expect(count == 1 || shifted != root)
                #expect(
                    MerkleTree.climb(
                        from: leaves[place], at: place, of: count, by: path + path, using: &digest) == nil
                        || path.isEmpty)
                #expect(path.count <= FactSigning.pathOctetsLongest)
            }
        }
    }
}

@Suite("Facts on the wire")
struct FactsWireTests {
    private func samples() throws -> [GossipMessage] {
        var bench = GossipBench(nodes: 3)
        try bench.say(1, about: "a", at: 0)
        try bench.say(2, about: "b", at: 1)
        bench.run(for: 1_000)
        var actions: [Gossip.Action] = []
        bench.machines[0].withdraw(TestFact.self, about: "a", now: bench.clock, into: &actions)
        bench.run(for: 1_000)
        let nobody = FactDigest(
            entries: bench.keys.map { FactDigest.Entry(origin: $0.node, incarnation: 0, mark: 0) })
        let (deltas, isCut) = bench.machines[2].replica.deltas(
            for: nobody, octets: 1 << 20, turn: 0, now: bench.clock.uptime)
        return bench.sent + [.deltas(deltas, isCut: isCut), .digest(nobody, asks: false), .push([])]
    }

    private func frame(_ message: GossipMessage) -> Frame {
        Frame(cluster: FrameTests.cluster, sender: FrameTests.sender, body: .facts(message))
    }

    @Test("what is written is read again")
    func roundTrips() throws {
        for message in try samples() {
            #expect(try Frame(decoding: frame(message).octets) == frame(message))
        }
    }

    @Test("cut at every octet or with any octet bent, it is refused or read, and nothing breaks")
    func cuts() throws {
        let octets = frame(try #require(samples().first { if case .deltas = $0 { true } else { false } }))
            .octets
        for cut in octets.indices { _ = try? Frame(decoding: Array(octets[..<cut])) }
        for index in octets.indices {
            var bent = octets
            bent[index] ^= 0x55
            _ = try? Frame(decoding: bent)
        }
    }

    @Test("what is out of bounds is refused")
    func bounds() throws {
        var wire = GossipMessage.push([]).wire
        var fact = Chappe_Cluster_Fact()
        fact.batch = 3
        wire.push.facts = [fact]
        #expect(throws: FrameError.malformed("place of a batch")) { try GossipMessage(wire) }
        fact.kind = 1 << 16
        wire.push.facts = [fact]
        #expect(throws: FrameError.malformed("fact")) { try GossipMessage(wire) }
        wire.push.facts = Array(repeating: fact, count: FactsBounds.facts + 1)
        #expect(throws: FrameError.malformed("number of facts")) { try GossipMessage(wire) }
        #expect(throws: FrameError.malformed("facts of no kind")) {
            try GossipMessage(Chappe_Cluster_Gossip())
        }
    }
}
