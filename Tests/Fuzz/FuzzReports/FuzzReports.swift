import MailValues
import MessageFormat

/// Reports of strangers are read within their bounds, and a report about any message can be read back.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: data, count: count))
    _ = ReceivedReport([octets])
    let text = String(decoding: octets.prefix(2000), as: UTF8.self)
    let recipient = DeliveryReport.Recipient(
        mailbox: Mailbox(localPart: "user", domain: Domain("there.example")), originalRecipient: text,
        action: .failed, status: EnhancedStatus(5, 0, 0), remoteHost: text, reply: Reply(550, nil, text))
    let report = DeliveryReport(
        id: QueueID(high: 1, low: 2), at: Timestamp(seconds: 1), host: Domain("mx.example.org"),
        postmaster: Mailbox(localPart: "postmaster", domain: Domain("example.org")),
        sender: Mailbox(localPart: "anna", domain: Domain("sender.example")),
        original: .init(
            id: QueueID(high: 1, low: 1), arrivedAt: Timestamp(seconds: 1), envelopeID: text,
            wantsFullReturn: true,
            sizeOctets: count, content: [octets]),
        recipients: [recipient])
    let built = report.built()
    precondition(!built.needsUTF8, "an ASCII sender gets an ASCII report")
    guard let read = ReceivedReport(built.content) else { preconditionFailure("our own report is one") }
    precondition(read.recipients.count == 1 && read.recipients[0].action == "failed", "nothing was injected")
    return 0
}
