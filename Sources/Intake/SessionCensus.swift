package import MailValues
import Synchronization

/// How many sessions are open, in all and from each network.
///
/// A network is an IPv4 /24 or an IPv6 /64: who can take one address of it can take the others too.
package final class SessionCensus: Sendable {
    package struct Limits: Sendable, Equatable {
        /// Sessions in all.
        package var total = 20_000
        /// Sessions from one network; trusted networks are not counted.
        package var perNetwork = 50
        package init() {}
    }

    package enum Entry: Sendable, Equatable { case admitted, tooManyFromNetwork, tooMany }

    private struct State {
        var total = 0
        var networks: [IPAddress: Int] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package var total: Int { state.withLock { $0.total } }

    /// Each `admitted` is paired with one `leave` of the same arguments.
    package func enter(_ client: IPAddress, isTrusted: Bool, limits: Limits) -> Entry {
        state.withLock { state in
            guard state.total < limits.total else { return .tooMany }
            if !isTrusted {
                let network = Self.network(of: client)
                guard state.networks[network, default: 0] < limits.perNetwork else {
                    return .tooManyFromNetwork
                }
                state.networks[network, default: 0] += 1
            }
            state.total += 1
            return .admitted
        }
    }

    package func leave(_ client: IPAddress, isTrusted: Bool) {
        state.withLock { state in
            state.total -= 1
            guard !isTrusted else { return }
            let network = Self.network(of: client)
            guard let count = state.networks[network] else { return }
            state.networks[network] = count > 1 ? count - 1 : nil
        }
    }

    package static func network(of address: IPAddress) -> IPAddress {
        address.masked(to: address.isV4 ? 24 : 64)
    }
}
