import MailValues
import SwiftProtobuf

extension Frame {
    /// Reads what came over a link; every list and number is bounded before it is used.
    package init(decoding octets: [UInt8]) throws(FrameError) {
        guard octets.count <= Self.octetLimit else { throw .tooLong }
        try FrameScan.check(octets)
        let envelope: Chappe_Cluster_Envelope
        do { envelope = try Chappe_Cluster_Envelope(serializedBytes: octets) } catch {
            throw .malformed("frame")
        }
        guard (Self.versionOldest...Self.version).contains(envelope.version) else {
            throw .version(envelope.version)
        }
        guard let cluster = ClusterID(octets: Array(envelope.cluster)) else { throw .malformed("cluster") }
        self.init(
            cluster: cluster, sender: try Self.sender(envelope),
            age: min(.milliseconds(Int64(envelope.age)), Self.ageLongest), body: try Self.body(envelope.body))
    }

    private static func sender(_ envelope: Chappe_Cluster_Envelope) throws(FrameError) -> Sender {
        let state = try state(envelope.state)
        guard envelope.incarnation <= Claim.incarnationHighest, !state.isJudgement,
            envelope.refutation <= Claim.refutationHighest
        else { throw .malformed("sender") }
        return Sender(
            node: try node(envelope.sender), incarnation: envelope.incarnation, nonce: envelope.nonce,
            refutation: envelope.refutation, state: state)
    }

    private static func body(_ body: Chappe_Cluster_Envelope.OneOf_Body?) throws(FrameError) -> Body {
        switch body {
        case nil: .unknown
        case .probe(let probe):
            .probing(.probe(number: probe.number, view: probe.view, claims: try riding(probe.claims)))
        case .ack(let probe):
            .probing(.ack(number: probe.number, view: probe.view, claims: try riding(probe.claims)))
        case .ask(let relay):
            .probing(
                .ask(number: relay.number, target: try node(relay.target), claims: try riding(relay.claims)))
        case .relayedAck(let relay):
            .probing(
                .relayedAck(
                    number: relay.number, target: try node(relay.target), claims: try riding(relay.claims)))
        case .nack(let relay):
            .probing(
                .nack(number: relay.number, target: try node(relay.target), claims: try riding(relay.claims)))
        case .rumours(let said): .probing(.rumours(try claims(said.claims, ProbeMessage.syncLimit)))
        case .sync(let said): .probing(.sync(try claims(said.claims, ProbeMessage.syncLimit)))
        case .askLastSeen: .probing(.askLastSeen)
        case .lastSeen(let seen): .probing(.lastSeen(try lastSeen(seen)))
        case .cloned(let clone): .probing(.cloned(nonce: clone.nonce))
        case .facts(let gossip): .facts(try GossipMessage(gossip))
        case .words(let words): .words(try WordMessage(words))
        case .contact(let given): .contact(try contact(given))
        }
    }

    private static func contact(_ given: Chappe_Cluster_Contact) throws(FrameError) -> LinkContact {
        guard let contact = LinkContact(given) else { throw .malformed("contact") }
        return contact
    }

    private static func riding(_ said: [Chappe_Cluster_Claim]) throws(FrameError) -> [Claim] {
        try claims(said, ProbeMessage.claimLimit)
    }

    private static func claims(_ said: [Chappe_Cluster_Claim], _ limit: Int) throws(FrameError) -> [Claim] {
        guard said.count <= limit else { throw .malformed("number of claims") }
        var claims: [Claim] = []
        claims.reserveCapacity(said.count)
        for each in said { claims.append(try claim(each)) }
        return claims
    }

    private static func claim(_ said: Chappe_Cluster_Claim) throws(FrameError) -> Claim {
        guard said.incarnation <= Claim.incarnationHighest, said.refutation <= Claim.refutationHighest else {
            throw .malformed("claim")
        }
        return Claim(
            node: try node(said.node), incarnation: said.incarnation, refutation: said.refutation,
            state: try state(said.state), accuser: said.accuser.isEmpty ? nil : try node(said.accuser),
            remaining: said.hasRemaining ? span(said.remaining) : nil)
    }

    private static func lastSeen(_ seen: Chappe_Cluster_LastSeen) throws(FrameError) -> LastSeen {
        guard seen.incarnation <= Claim.incarnationHighest else { throw .malformed("last seen") }
        return LastSeen(
            incarnation: seen.incarnation, nonce: seen.nonce, refutation: seen.refutation,
            state: try state(seen.state), heardAgo: seen.hasHeardAgo ? span(seen.heardAgo) : nil)
    }

    private static func state(_ value: UInt32) throws(FrameError) -> MemberState {
        guard let value = UInt8(exactly: value), let state = MemberState(rawValue: value) else {
            throw .malformed("state")
        }
        return state
    }

    private static func node(_ octets: some Collection<UInt8>) throws(FrameError) -> NodeID {
        guard let node = NodeID(octets: octets) else { throw .malformed("node") }
        return node
    }

    /// A span from the wire; nobody means more than a day.
    private static func span(_ milliseconds: UInt64) -> Duration {
        min(.milliseconds(Int64(clamping: milliseconds)), ageLongest)
    }
}
