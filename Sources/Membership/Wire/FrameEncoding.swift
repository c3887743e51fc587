import MailValues
import SwiftProtobuf

extension Frame {
    /// The octets that go on the wire.
    package var octets: [UInt8] {
        var envelope = Chappe_Cluster_Envelope()
        envelope.version = Self.version
        envelope.cluster = data(cluster.octets)
        envelope.sender = data(sender.node.octets)
        envelope.incarnation = sender.incarnation
        envelope.nonce = sender.nonce
        envelope.refutation = sender.refutation
        envelope.state = UInt32(sender.state.rawValue)
        envelope.age = UInt32(clamping: min(age, Self.ageLongest).wholeMilliseconds)
        switch body {
        case .probing(let message): envelope.body = Self.wire(message)
        case .facts(let message): envelope.facts = message.wire
        case .words(let message): envelope.words = message.wire
        case .contact(let contact): envelope.contact = contact.message
        case .unknown: break
        }
        return Membership.octets(of: envelope)
    }

    private static func wire(_ message: ProbeMessage) -> Chappe_Cluster_Envelope.OneOf_Body {
        switch message {
        case .probe(let number, let view, let claims): .probe(probe(number, view, claims))
        case .ack(let number, let view, let claims): .ack(probe(number, view, claims))
        case .ask(let number, let target, let claims): .ask(relay(number, target, claims))
        case .relayedAck(let number, let target, let claims): .relayedAck(relay(number, target, claims))
        case .nack(let number, let target, let claims): .nack(relay(number, target, claims))
        case .rumours(let claims): .rumours(.with { $0.claims = claims.map(wire) })
        case .sync(let claims): .sync(.with { $0.claims = claims.map(wire) })
        case .askLastSeen: .askLastSeen(Chappe_Cluster_Empty())
        case .lastSeen(let seen): .lastSeen(wire(seen))
        case .cloned(let nonce): .cloned(.with { $0.nonce = nonce })
        }
    }

    private static func probe(_ number: UInt32, _ view: UInt64, _ claims: [Claim]) -> Chappe_Cluster_Probe {
        var message = Chappe_Cluster_Probe()
        message.number = number
        message.view = view
        message.claims = claims.map(wire)
        return message
    }

    private static func relay(_ number: UInt32, _ target: NodeID, _ claims: [Claim]) -> Chappe_Cluster_Relay {
        var message = Chappe_Cluster_Relay()
        message.number = number
        message.target = data(target.octets)
        message.claims = claims.map(wire)
        return message
    }

    private static func wire(_ claim: Claim) -> Chappe_Cluster_Claim {
        var message = Chappe_Cluster_Claim()
        message.node = data(claim.node.octets)
        message.incarnation = claim.incarnation
        message.refutation = claim.refutation
        message.state = UInt32(claim.state.rawValue)
        if let accuser = claim.accuser { message.accuser = data(accuser.octets) }
        if let remaining = claim.remaining {
            message.remaining = UInt64(clamping: remaining.wholeMilliseconds)
        }
        return message
    }

    private static func wire(_ seen: LastSeen) -> Chappe_Cluster_LastSeen {
        var message = Chappe_Cluster_LastSeen()
        message.incarnation = seen.incarnation
        message.nonce = seen.nonce
        message.refutation = seen.refutation
        message.state = UInt32(seen.state.rawValue)
        if let heardAgo = seen.heardAgo { message.heardAgo = UInt64(clamping: heardAgo.wholeMilliseconds) }
        return message
    }
}
