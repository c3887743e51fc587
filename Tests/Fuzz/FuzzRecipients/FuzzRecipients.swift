import MailValues
import RoutingPolicy
import SMTPProtocol

private let policy: RelayPolicy = {
    let postmaster = Mailbox(localPart: "boss", domain: Domain("example.com"))
    var settings = RelaySettings(hostname: Domain("mx.example.com"), postmaster: postmaster)
    settings.relayDomains = [
        RelayDomain("example.com", recipients: .listed(RecipientSet(["alice", "odd%one"]))),
        RelayDomain("open.example", recipients: .any),
    ]
    return RelayPolicy(settings)
}()

/// A stranger reaches our own domains or nothing, whatever he writes; and lists of recipients are read within
/// their bounds.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: data, count: count))
    let trick = AddressTrick.find(in: octets)
    let at = octets.lastIndex(of: 0x40)
    let local = String(decoding: octets[..<(at ?? count)], as: UTF8.self)
    let domain = Domain(at.map { String(decoding: octets[($0 + 1)...], as: UTF8.self) } ?? "")
    let recipient = RecipientCommand(mailbox: Mailbox(localPart: local, domain: domain), rawPath: octets)
    let stranger = ClientStanding(address: .v4(0xC633_6401), listener: .mx)
    switch policy.recipientDecision(recipient, sender: .null, client: stranger) {
    case .refuse(let reply):
        precondition(reply.isPermanent || reply.isTransient, "a refusal refuses")
    case .acceptProvisionally:
        preconditionFailure("no network is shared")
    case .accept(let right, let mailbox):
        precondition(right == .destination || right == .role, "a stranger has no right of his own")
        precondition(policy.isRelayDomain(mailbox.domain), "mail of strangers stays in our domains")
        let isListed = ["alice", "odd%one"].contains { RecipientSet([$0]).match(local) == .exact }
        // The postmaster is always heard, however his name is quoted (RFC 5321 §4.5.1).
        precondition(
            trick == nil || trick == .literal || isListed || right == .role, "a trick went through")
    }
    _ = SenderScope(String(decoding: octets, as: UTF8.self).split(separator: "\n").map(String.init))
    if let list = try? RecipientList(parsing: octets, domain: Domain("example.com")) {
        precondition(list.localParts.allSatisfy { !$0.isEmpty && $0.utf8.count <= RecipientList.lineOctets })
    }
    return 0
}
