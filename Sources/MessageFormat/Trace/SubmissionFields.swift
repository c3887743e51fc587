package import MailValues

/// What a submission server adds when it is missing (RFC 6409 §8.2, §8.3).
package enum SubmissionFields {
    /// Appends `Date:`.
    package static func appendDate(_ moment: Timestamp, to octets: inout [UInt8]) {
        octets.append("Date: ")
        moment.appendMailDate(to: &octets)
        octets.append("\r\n")
    }

    /// Appends `Message-ID:`. The queue id makes it unique (RFC 5322 §3.6.4); `host` is ours.
    package static func appendMessageID(_ id: QueueID, host: Domain, to octets: inout [UInt8]) {
        octets.append("Message-ID: <")
        octets.append(id)
        octets.append(0x40)
        octets.append(contentsOf: host.name.utf8)
        octets.append(">\r\n")
    }
}
