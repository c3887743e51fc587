import MailValues

/// What a connection may be reused for: the same hosts in the same ranks, reached the same way.
///
/// The text itself is the key, not a digest of it: a collision would hand mail to a stranger's host.
package struct SiteKey: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// - Parameters:
    ///   - hosts: host names in ranks, best first; preferences themselves do not matter, only their order.
    ///   - manner: everything else that must agree: port, language, TLS policy, credentials.
    package init(ranks hosts: [[String]], manner: String) {
        description = hosts.map { $0.sorted().joined(separator: ",") }.joined(separator: ";") + "|" + manner
    }
}

/// Which sites share limits, health and name, by the names of their MX hosts: data, not code.
///
/// Each tenant of a great provider has MX hosts of his own, but all stand behind the same walls.
package struct ProviderRules: Sendable, Equatable {
    private var providers: [String: String] = [:]

    /// - Parameter rules: an MX suffix (`mail.protection.outlook.com`) and the provider's name (`microsoft`).
    package init(_ rules: [(suffix: String, name: String)] = []) {
        for rule in rules {
            let suffix = rule.suffix.hasPrefix(".") ? String(rule.suffix.dropFirst()) : rule.suffix
            providers[Domain(suffix).name] = rule.name
        }
    }

    /// The provider of a host: by the longest suffix, at label boundaries; nil where no rule fits.
    package func provider(of host: String) -> String? {
        guard !providers.isEmpty else { return nil }
        var rest = host[...]
        while true {
            if let name = providers[String(rest)] { return name }
            guard let dot = rest.firstIndex(of: ".") else { return nil }
            rest = rest[rest.index(after: dot)...]
        }
    }
}
