package import Cryptography
internal import SMTPProtocol

/// All accounts, immutable: a reload makes another.
package final class AccountTable: Sendable {
    private let accounts: [PreparedName: Account]
    private let certificates: CertificateAccounts
    /// What most accounts cost, so that a made-up name costs the same.
    private let usualIterations: Int

    package init(_ accounts: [Account] = [], certificates: CertificateAccounts = CertificateAccounts()) {
        self.accounts = Dictionary(accounts.map { ($0.name, $0) }) { first, _ in first }
        self.certificates = certificates
        let costs = Dictionary(accounts.map { ($0.verifier.iterations, 1) }, uniquingKeysWith: +)
        usualIterations =
            costs.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? ScramVerifier.iterationsDefault
    }

    package var count: Int { accounts.count }

    package subscript(name: PreparedName) -> Account? { accounts[name] }

    /// The account's verifier, or for a name that nobody has one that no password fits.
    func verifier(for name: PreparedName, secret: [UInt8]) -> ScramVerifier {
        accounts[name]?.verifier
            ?? ScramVerifier(decoyFor: name.text, secret: secret, iterations: usualIterations)
    }

    func account(for tls: TLSFacts) -> String? {
        if let fingerprint = tls.peerFingerprint, let account = certificates.byFingerprint[fingerprint] {
            return account
        }
        for name in tls.verifiedPeerNames {
            if let account = certificates.byName[name] { return account }
        }
        return nil
    }
}
