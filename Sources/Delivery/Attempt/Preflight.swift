import MailValues
import QueueEngine
import SMTPProtocol

/// What can be said before a word is sent: which recipients this peer can be given this message for, and how.
struct Preflight {
    private(set) var refused: [RecipientResult] = []
    private(set) var indices: [Int] = []
    private(set) var body: MailCommand.Body?
    private(set) var smtpUTF8 = false

    /// - Parameter hasASCIIHeader: asked only where the peer does not offer SMTPUTF8 and the message came
    ///   with it.
    init(
        _ envelope: Envelope, indices wanted: [Int], peer: PeerCapabilities,
        eightBit: DeliverySettings.EightBitRule,
        hasASCIIHeader: () -> Bool
    ) {
        if let limit = peer.size, limit > 0, UInt64(envelope.sizeOctets) > limit {  // RFC 1870 §6
            refuse(
                wanted,
                Reply(
                    552, EnhancedStatus(5, 3, 4),
                    "Message of \(envelope.sizeOctets) octets, host takes \(limit)"))
            return
        }
        let isEightBit = envelope.hasEightBit || envelope.body == .eightBitMIME
        if peer.eightBitMIME {
            body = isEightBit ? .eightBitMIME : envelope.body
        } else if isEightBit && eightBit == .bounce {
            // RFC 6152 §3
            refuse(wanted, Reply(554, EnhancedStatus(5, 6, 3), "Host takes no 8-bit content"))
            return
        }
        guard envelope.smtpUTF8 else {
            indices = wanted
            return
        }
        guard !peer.smtpUTF8 else {
            smtpUTF8 = true
            indices = wanted
            return
        }
        // RFC 6531 §3.2: without the extension only what needs none of it may pass.
        let reply = Reply(553, EnhancedStatus(5, 6, 7), "Host takes no internationalized addresses")
        guard envelope.reversePath.mailbox?.isASCII ?? true, hasASCIIHeader() else {
            refuse(wanted, reply)
            return
        }
        for index in wanted {
            if envelope.recipients[index].mailbox.isASCII {
                indices.append(index)
            } else {
                refuse([index], reply)
            }
        }
    }

    private mutating func refuse(_ indices: [Int], _ reply: Reply) {
        for index in indices { refused.append(RecipientResult(index: index, kind: .bounced, reply: reply)) }
    }
}
