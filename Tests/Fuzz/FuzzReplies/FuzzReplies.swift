import MailValues
import SMTPProtocol

/// A peer may answer a client anything, in any cut: the session stays within its bounds, ends once, and tells
/// each transaction's outcome once.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let head = data[0]
    let octets = UnsafeRawBufferPointer(start: data + 1, count: count - 1)
    for size in [octets.count, 1 + Int(head >> 4)] { talk(octets, cutBehind: size, choices: head) }
    parse(octets)
    return 0
}

/// The same replies come out of every cut.
private func parse(_ octets: UnsafeRawBufferPointer) {
    func read(cutBehind size: Int) -> ([Reply], ReplyError?) {
        var parser = ReplyParser()
        var replies: [Reply] = []
        for start in stride(from: 0, to: octets.count, by: size) {
            let piece = UnsafeRawBufferPointer(rebasing: octets[start..<min(start + size, octets.count)])
            var offset = 0
            while offset < piece.count {
                do throws(ReplyError) {
                    guard try parser.consume(piece, from: &offset) else { break }
                } catch { return (replies, error) }
                precondition((200...599).contains(parser.code), "a code is one")
                replies.append(parser.reply)
            }
        }
        return (replies, nil)
    }
    let whole = read(cutBehind: octets.count)
    let cut = read(cutBehind: 3)
    precondition(whole.0 == cut.0 && whole.1 == cut.1, "a cut changes nothing")
    for reply in whole.0 {
        precondition(reply.text.utf8.count <= ReplyLimits().textOctets, "text is bounded")
    }
}

private func talk(_ octets: UnsafeRawBufferPointer, cutBehind size: Int, choices: UInt8) {
    var session = ClientSession(
        target: DialTarget(
            address: .v4(1), port: 25, hostName: "h", language: choices & 1 == 0 ? .smtp : .lmtp,
            tls: choices & 2 == 0 ? .none : .may,
            credentials: choices & 4 == 0 ? nil : DialTarget.Credentials(user: "u", password: "p"),
            helloName: "us"),
        offersSCRAM: choices & 8 == 0)
    let now = Timestamp(milliseconds: 0)
    let recipients = ["b", "c", "d"].map {
        OutboundTransaction.Recipient(mailbox: Mailbox(localPart: $0, domain: Domain("x")), notify: .delay)
    }
    let envelope = OutboundTransaction(reversePath: .null, recipients: recipients, sizeOctets: 8)
    var actions: [ClientAction] = []
    var begun = 0
    var finished = 0
    var closed = 0
    var pieces = 0
    session.handle(.connected, now: now, into: &actions)
    var start = 0
    while start < octets.count || !actions.isEmpty {
        let batch = actions
        actions = []
        for action in batch {
            switch action {
            case .send: break
            case .startTLS:
                session.handle(.tlsEstablished(TLSFacts(version: "x", cipher: "x")), now: now, into: &actions)
            case .authenticate: session.handle(.authenticationResponse([1]), now: now, into: &actions)
            case .needContent:
                // A message ends some day, or a session that lets it flow would never be done here.
                pieces += 1
                session.handle(
                    .content([[0x2E, 0x0D, 0x0A]], isLast: begun % 2 == 0 || pieces > 100), now: now,
                    into: &actions)
            case .finished(let outcome):
                finished += 1
                precondition(outcome.recipients.count == recipients.count, "each recipient has an outcome")
            case .close: closed += 1
            case .ready, .failed: break
            }
        }
        if session.isIdle && begun < 20 {
            begun += 1
            session.handle(
                .begin(envelope, content: [Array("a\r\n.b\r\n".utf8)], isWhole: begun % 3 != 0), now: now,
                into: &actions)
        }
        guard start < octets.count else { continue }
        let piece = UnsafeRawBufferPointer(rebasing: octets[start..<min(start + size, octets.count)])
        session.receive(piece, now: now, into: &actions)
        start += size
    }
    session.handle(.disconnected(detail: "end"), now: now, into: &actions)
    for action in actions {
        if case .finished = action { finished += 1 }
        if case .close = action { closed += 1 }
    }
    precondition(closed == 1 && session.isClosed, "a session ends once")
    precondition(finished == begun, "each transaction ends once")
}
