/// Something wrong or doubtful in the configuration, and where it stands.
package struct ConfigurationProblem: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Severity: String, Sendable { case error, warning }

    package var severity: Severity
    /// From 1; 0 where the problem is the file itself.
    package var line: Int
    package var column: Int
    package var message: String

    package init(_ severity: Severity, line: Int, column: Int, _ message: String) {
        self.severity = severity
        self.line = line
        self.column = column
        self.message = message
    }

    /// `12:5: error: …`, as compilers write it and editors jump to it.
    package var description: String {
        line == 0 ? "\(severity): \(message)" : "\(line):\(column): \(severity): \(message)"
    }
}

/// Why a configuration cannot be used: all errors at once, in the order of the file, warnings among them.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    package let path: String
    package let problems: [ConfigurationProblem]

    package var description: String { problems.map { "\(path):\($0)" }.joined(separator: "\n") }
}
