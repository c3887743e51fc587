import AdminProtocol
import RelayNode

/// What `chappe` does with a node's files itself, because it must work while no node runs.
enum Offline {
    static func checkConfiguration(at path: String) -> ConfigurationReport {
        do throws(ConfigurationError) {
            let configuration = try Configuration.load(path: path)
            return ConfigurationReport(path: path, findings: configuration.warnings.map(finding))
        } catch {
            return ConfigurationReport(path: error.path, findings: error.problems.map(finding))
        }
    }

    private static func finding(_ problem: ConfigurationProblem) -> ConfigurationReport.Finding {
        ConfigurationReport.Finding(
            problem.severity == .error ? .error : .warning, line: problem.line > 0 ? problem.line : nil,
            column: problem.line > 0 ? problem.column : nil, problem.message)
    }
}
