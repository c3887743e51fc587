package import AdminProtocol

/// What a node would make of a configuration file, found out without one.
package enum ConfigurationCheck {
    /// As a node that the caller starts would find it: started by root, it reads as the user whom it becomes.
    ///
    /// For a command that does nothing else: for its time the whole process has the rights of that user.
    package static func report(on path: String) -> ConfigurationReport {
        guard Privileges.isRoot, let configuration = try? Configuration.load(path: path),
            let identity = try? Privileges.identity(user: configuration.user, group: configuration.group)
        else { return ConfigurationReport(path, NodePlan.examine(path: path).problems) }
        do throws(Privileges.DropError) {
            let problems = try Privileges.acting(as: identity, user: configuration.user) {
                NodePlan.examine(path: path).problems
            }
            return ConfigurationReport(path, problems)
        } catch {
            return ConfigurationReport(path: path, findings: [.init(.error, error.description)])
        }
    }
}

extension ConfigurationReport {
    init(_ path: String, _ problems: [ConfigurationProblem]) {
        self.init(path: path, findings: problems.map(Finding.init))
    }
}

extension ConfigurationReport.Finding {
    init(_ problem: ConfigurationProblem) {
        self.init(
            problem.severity == .error ? .error : .warning, line: problem.line == 0 ? nil : problem.line,
            column: problem.column == 0 ? nil : problem.column, problem.message)
    }
}
