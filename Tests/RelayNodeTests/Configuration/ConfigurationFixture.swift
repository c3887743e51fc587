import RelayNode

/// A file system of names alone: all files are there, and only their owner may read them.
enum ConfigurationFixture {
    static func files(
        modes: [String: UInt32] = [:], contents: [String: String] = [:], missing: Set<String> = []
    ) -> ConfigurationFiles {
        ConfigurationFiles(
            inspect: { path in missing.contains(path) ? nil : .init(mode: modes[path] ?? 0o600) },
            read: { path, limit in
                let octets = contents[path].map { Array($0.utf8) } ?? []
                return missing.contains(path) || octets.count > limit ? nil : octets
            })
    }

    /// What must be there, and `more`.
    static func text(_ more: String = "") -> String {
        """
        hostname: mx.example.org
        postmaster: postmaster@example.org
        tls:
          certificates:
            - {certificate: a.crt, key: a.key}
        listeners:
          - {kind: mx, address: "127.0.0.1:25"}

        """ + more
    }

    static func parse(
        _ text: String, files: ConfigurationFiles = files()
    ) throws(ConfigurationError) -> Configuration {
        try Configuration.parse(text, directory: "/etc/chappe", files: files)
    }

    /// The problems of a text, each on a line as `config check` prints it.
    static func problems(_ text: String, files: ConfigurationFiles = files()) -> [String] {
        do {
            return try parse(text, files: files).warnings.map(\.description)
        } catch {
            return error.problems.map(\.description)
        }
    }
}
