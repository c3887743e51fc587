package import MailValues

/// What a session has proved so far about who speaks.
package struct ClientStanding: Sendable, Equatable {
    package enum ListenerKind: String, Sendable, CaseIterable {
        /// Open to the world (RFC 5321).
        case mx
        /// For accounts (RFC 6409).
        case submission
        /// For listed networks.
        case inside
    }

    /// After PROXY and XCLIENT.
    package var address: IPAddress
    package var account: String?
    /// SHA-256 of the client's certificate, lower-case hexadecimal.
    package var certificateFingerprint: String?
    /// Names in a client certificate that chains to the named authority.
    package var certificateNames: [String]
    package var listener: ListenerKind

    package init(
        address: IPAddress, listener: ListenerKind, account: String? = nil,
        certificateFingerprint: String? = nil,
        certificateNames: [String] = []
    ) {
        self.address = address
        self.listener = listener
        self.account = account
        self.certificateFingerprint = certificateFingerprint
        self.certificateNames = certificateNames
    }
}

/// Why a recipient was taken: what the record and `explain` show.
package enum Right: Sendable, Hashable, CustomStringConvertible {
    /// The domain is one of ours, and the recipient exists.
    case destination
    /// Postmaster or abuse (RFC 5321 §4.5.1, RFC 2142 §2).
    case role
    case network(Network)
    case account(String)
    case certificate(String)

    package var description: String {
        switch self {
        case .destination: "relay domain"
        case .role: "postmaster"
        case .network(let network): "network \(network)"
        case .account(let name): "account \(name.printable(limit: 256))"
        case .certificate(let name): "certificate \(name.printable(limit: 256))"
        }
    }
}

/// A right that the content must still prove: one of these shared networks must recognise its own.
package struct SharedRight: Sendable, Equatable {
    package let candidates: [SharedNetwork]
}

package enum RecipientDecision: Sendable, Equatable {
    /// Taken. `mailbox` is where it goes: another one than asked for only where a role address leads to the
    /// postmaster.
    case accept(Right, mailbox: Mailbox)
    /// Taken for now; `RelayPolicy.contentDecision` has the last word, over the whole message.
    case acceptProvisionally(SharedRight, mailbox: Mailbox)
    case refuse(Reply)
}
