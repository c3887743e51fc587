package import MailValues

/// A delivery status notification about one message (RFC 3461 §6, RFC 3464, RFC 6522, RFC 6533).
///
/// It goes to the message's sender with a null reverse-path (RFC 3461 §6.1); there is no report about a
/// message that had a null reverse-path itself. `built()` gives the content.
package struct DeliveryReport: Sendable {
    package enum Action: String, Sendable, CaseIterable {
        case failed, delayed, delivered, relayed
    }

    package struct Recipient: Sendable {
        /// As it stood in the envelope.
        package var mailbox: Mailbox
        /// ORCPT, decoded: `rfc822;user@example.org` or `utf-8;…`.
        package var originalRecipient: String?
        package var action: Action
        /// Class 5 or 4 for failures, 4 for delays, 2 otherwise (RFC 3464 §2.3.4).
        package var status: EnhancedStatus
        /// The remote host's name, or nil where no host took part.
        package var remoteHost: String?
        /// The reply of the remote host, or what we ourselves say of the failure.
        package var reply: Reply?
        /// `reply` is ours: no host took part, or it said nothing of the kind.
        package var isOurWord: Bool
        package var lastAttempt: Timestamp?
        /// For delays: when we give up.
        package var retriedUntil: Timestamp?

        package init(
            mailbox: Mailbox, originalRecipient: String? = nil, action: Action, status: EnhancedStatus,
            remoteHost: String? = nil, reply: Reply? = nil, isOurWord: Bool = false,
            lastAttempt: Timestamp? = nil, retriedUntil: Timestamp? = nil
        ) {
            self.mailbox = mailbox
            self.originalRecipient = originalRecipient
            self.action = action
            self.status = status
            self.remoteHost = remoteHost
            self.reply = reply
            self.isOurWord = isOurWord || remoteHost == nil
            self.lastAttempt = lastAttempt
            self.retriedUntil = retriedUntil
        }
    }

    /// The message reported on.
    package struct Original: Sendable {
        package var id: QueueID
        package var arrivedAt: Timestamp
        /// ENVID, decoded (RFC 3461 §4.4).
        package var envelopeID: String?
        /// RET=FULL was said.
        package var wantsFullReturn: Bool
        package var sizeOctets: Int
        /// The whole content, or at least its header section.
        package var content: [[UInt8]]

        package init(
            id: QueueID, arrivedAt: Timestamp, envelopeID: String? = nil, wantsFullReturn: Bool = false,
            sizeOctets: Int, content: [[UInt8]]
        ) {
            self.id = id
            self.arrivedAt = arrivedAt
            self.envelopeID = envelopeID
            self.wantsFullReturn = wantsFullReturn
            self.sizeOctets = sizeOctets
            self.content = content
        }
    }

    package struct Limits: Sendable, Equatable {
        /// Octets of a message that is returned whole; a longer one returns its header (RFC 3461 §6.2).
        package var fullReturnOctets = 64 * 1024
        /// Octets of a returned header; what is longer is cut behind a field.
        package var headerReturnOctets = 32 * 1024
        /// Recipients named in the part for people; the part for programs names all.
        package var listedRecipientCount = 50
        /// Octets of a remote reply.
        package var replyOctets = 512

        package init() {}
    }

    /// Octets on their way, and what the next hop must be able to take.
    package struct Built: Sendable {
        package var content: [[UInt8]]
        package var sizeOctets: Int
        /// Some octet above 127: BODY=8BITMIME.
        package var hasEightBit: Bool
        /// The report itself is an internationalized message: SMTPUTF8.
        package var needsUTF8: Bool
    }

    /// The queue id of the report itself: in its Message-ID and its boundary.
    package var id: QueueID
    package var at: Timestamp
    /// Our own name.
    package var host: Domain
    /// Whom people may write to: stands in From.
    package var postmaster: Mailbox
    /// The original's sender.
    package var sender: Mailbox
    package var original: Original
    package var recipients: [Recipient]
    package var limits = Limits()

    package init(
        id: QueueID, at: Timestamp, host: Domain, postmaster: Mailbox, sender: Mailbox, original: Original,
        recipients: [Recipient], limits: Limits = Limits()
    ) {
        self.id = id
        self.at = at
        self.host = host
        self.postmaster = postmaster
        self.sender = sender
        self.original = original
        self.recipients = recipients
        self.limits = limits
    }

    /// Whether the original's whole content is of use to `built()`, so that it need not be read in vain.
    package static func returnsFullContent(
        wantsFullReturn: Bool, actions: some Sequence<Action>, sizeOctets: Int, limits: Limits = Limits()
    ) -> Bool {
        // RFC 3461 §6.2: without a failure only the header is returned, whatever RET says.
        wantsFullReturn && sizeOctets <= limits.fullReturnOctets && actions.contains(.failed)
    }

    package func built() -> Built {
        let returned = ReturnedContent(self)
        var head: [UInt8] = []
        head.reserveCapacity(4096 + 512 * recipients.count)
        appendHeader(to: &head)
        appendTextPart(to: &head)
        appendStatusPart(to: &head)
        appendDelimiter(to: &head)
        head.append("Content-Description: ")
        head.append(returned.isFull ? "Undelivered message" : "Header of the message")
        head.append("\r\nContent-Type: ")
        head.append(returned.contentType)
        head.append("\r\nContent-Transfer-Encoding: ")
        head.append(returned.encoding)
        head.append("\r\n\r\n")
        var tail: [UInt8] = []
        appendDelimiter(isLast: true, to: &tail)
        let content = [head] + returned.pieces + [tail]
        return Built(
            content: content, sizeOctets: content.reduce(0) { $0 + $1.count },
            hasEightBit: content.contains { $0.contains { $0 >= 0x80 } }, needsUTF8: isInternationalized)
    }

    /// The report goes to an address outside of ASCII: its path must know SMTPUTF8, so nothing needs
    /// encoding.
    ///
    /// All other reports say what they must in ASCII, since nobody promised that the way back knows SMTPUTF8
    /// (RFC 6533 §4.5).
    var isInternationalized: Bool { !sender.isASCII || !postmaster.isASCII }

    /// The one that the sender should hear of first.
    var gravestAction: Action {
        Action.allCases.first { action in recipients.contains { $0.action == action } } ?? .failed
    }

    /// The id is new, so no line of the original can hold it.
    func appendBoundary(to octets: inout [UInt8]) {
        octets.append("=_report_")
        octets.append(id)
    }

    func appendDelimiter(isLast: Bool = false, to octets: inout [UInt8]) {
        octets.append("\r\n--")
        appendBoundary(to: &octets)
        if isLast { octets.append("--") }
        octets.append("\r\n")
    }

    private func appendHeader(to octets: inout [UInt8]) {
        SubmissionFields.appendDate(at, to: &octets)
        octets.append("From: Mail Delivery System <")
        octets.append(clean: postmaster.description)
        octets.append(">\r\nTo: <")
        octets.append(clean: sender.description)
        octets.append(">\r\nSubject: ")
        octets.append(subject)
        octets.append("\r\n")
        SubmissionFields.appendMessageID(id, host: host, to: &octets)
        if let id = returnedMessageID {
            octets.append("References: ")
            octets += id
            octets.append("\r\n")
        }
        octets.append("Auto-Submitted: auto-replied\r\n")  // RFC 3834 §3.1.7
        octets.append("MIME-Version: 1.0\r\n")
        octets.append("Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"")
        appendBoundary(to: &octets)
        octets.append("\"\r\n")
    }

    private var subject: StaticString {
        switch gravestAction {
        case .failed: "Your message could not be delivered"
        case .delayed: "Your message is delayed"
        case .delivered: "Your message was delivered"
        case .relayed: "Your message was passed on"
        }
    }

    /// The original's Message-ID, so that readers show the report beside it.
    private var returnedMessageID: ArraySlice<UInt8>? {
        guard let value = originalValue(of: .messageID), (3...250).contains(value.count), value.first == 0x3C,
            value.last == 0x3E, value.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return value[...]
    }

    /// The value of the first field of that name in the original's first piece.
    func originalValue(of name: HeaderFieldName) -> [UInt8]? {
        guard let first = original.content.first else { return nil }
        return HeaderScan(first).fields.first { $0.name == name }.map { unfolded(first[$0.valueOctets]) }
    }
}

extension [UInt8] {
    /// Text that was parsed before; still, no control character of it ends a line of ours.
    mutating func append(clean text: String) {
        append(contentsOf: text.utf8.lazy.filter { $0 >= 0x20 && $0 != 0x7F })
    }
}
