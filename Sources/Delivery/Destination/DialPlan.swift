import MailValues
import SMTPProtocol

/// The addresses to dial, one after another, for one connection to a site.
struct DialPlan: Sendable {
    private(set) var targets: [DialTarget] = []

    /// Shuffles the hosts of equal rank (RFC 5321 §5.1) and takes the addresses of each as they come; the
    /// first address of every host of a rank before the second of any, since a host's addresses often fail
    /// together.
    init(
        _ destination: Destination, settings: DeliverySettings, using random: inout some RandomNumberGenerator
    ) {
        for rank in destination.ranks {
            let hosts = rank.shuffled(using: &random)
            let most = hosts.reduce(0) { max($0, $1.addresses.count) }
            for turn in 0..<most {
                for host in hosts where turn < host.addresses.count {
                    guard targets.count < settings.addressLimit else { return }
                    let address = host.addresses[turn]
                    targets.append(
                        DialTarget(
                            address: address, port: host.port, hostName: host.name,
                            source: address.isV4 ? settings.sourceV4 : settings.sourceV6,
                            language: destination.language, tls: destination.mode(for: host),
                            implicitTLS: destination.implicitTLS, credentials: destination.credentials,
                            helloName: settings.helloName))
                }
            }
        }
    }
}
