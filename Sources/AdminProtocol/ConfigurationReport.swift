/// What is wrong, or doubtful, in a configuration file.
package struct ConfigurationReport: Codable, Hashable, Sendable {
    package enum Severity: String, Codable, Sendable { case error, warning }

    package struct Finding: Codable, Hashable, Sendable {
        package var severity: Severity
        /// From 1.
        package var line: Int?
        package var column: Int?
        package var message: String
        package init(_ severity: Severity, line: Int? = nil, column: Int? = nil, _ message: String) {
            self.severity = severity
            self.line = line
            self.column = column
            self.message = message
        }
    }

    package var schema = AdminAPI.schema
    package var path: String
    package var findings: [Finding]
    /// By a reload: whether the node works by this file now. False as soon as there is one error.
    package var isApplied: Bool
    /// Settings that changed and that only a restart puts in force: why a reload was refused, or would be.
    package var needsRestart: [String]

    package init(path: String, findings: [Finding], isApplied: Bool = false, needsRestart: [String] = []) {
        self.path = path
        self.findings = findings
        self.isApplied = isApplied
        self.needsRestart = needsRestart
    }

    package var hasErrors: Bool { findings.contains { $0.severity == .error } }
}
