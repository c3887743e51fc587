import Glibc
import Yams

extension Configuration {
    /// Octets of a configuration file.
    static let fileOctets = 8 << 20

    /// Reads and checks a file, and the files it names.
    package static func load(
        path: String, files: ConfigurationFiles = .system
    ) throws(ConfigurationError) -> Configuration {
        guard let octets = files.read(path, fileOctets) else {
            throw failure(
                path,
                "cannot be read by the user \(Privileges.userName); say where it is with --config, or look at its "
                    + "permissions")
        }
        guard let text = String(validating: octets, as: UTF8.self) else {
            throw failure(path, "is not UTF-8")
        }
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return try parse(text, path: path, directory: directory, files: files)
    }

    /// `directory`: what relative paths are relative to.
    package static func parse(
        _ text: String, path: String = "chappe.yaml", directory: String = ".",
        files: ConfigurationFiles = .system
    ) throws(ConfigurationError) -> Configuration {
        try parse(text, path: path, directory: directory, files: files, problems: ProblemList())
    }

    static func parse(
        _ text: String, path: String, directory: String, files: ConfigurationFiles, problems: ProblemList
    ) throws(ConfigurationError) -> Configuration {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            let problem =
                (error as? YamlError)?.problem(in: text)
                ?? ConfigurationProblem(.error, line: 0, column: 0, "\(error)")
            throw ConfigurationError(path: path, problems: [problem])
        }
        let paths = PathReader(directory: directory, files: files, problems: problems)
        var configuration = ConfigurationReader(problems: problems, paths: paths).read(root)
        guard !problems.hasErrors, configuration != nil else {
            throw ConfigurationError(path: path, problems: problems.inOrder)
        }
        configuration?.warnings = problems.inOrder
        configuration?.sharedDigest = SharedDigest.of(root)
        configuration?.places = problems.places
        guard let configuration else { preconditionFailure("the guard above saw it") }
        return configuration
    }

    private static func failure(_ path: String, _ message: String) -> ConfigurationError {
        ConfigurationError(path: path, problems: [ConfigurationProblem(.error, line: 0, column: 0, message)])
    }
}

extension YamlError {
    /// What libyaml found wrong, with its place and in words for people.
    fileprivate func problem(in text: String) -> ConfigurationProblem {
        func problem(_ mark: Mark?, _ message: String) -> ConfigurationProblem {
            ConfigurationProblem(.error, line: mark?.line ?? 0, column: mark?.column ?? 0, message)
        }
        switch self {
        case .scanner(let context, let text, let mark, _), .parser(let context, let text, let mark, _),
            .composer(let context, let text, let mark, _):
            let outer = context.map { ", \($0.text) (line \($0.mark.line))" } ?? ""
            return problem(mark, "not YAML: \(text)\(outer)")
        case .duplicatedKeysInMapping(let names, let context):
            let list = names.map { "`\($0)`" }.joined(separator: ", ")
            let first = Place(context.mark)
            let place = names.first.flatMap { RepeatedKey.place(of: $0, after: first, in: text) } ?? first
            return ConfigurationProblem(
                .error, line: place.line, column: place.column,
                "\(list) stands twice in the same section, first at \(first.line):\(first.column)")
        case .reader(let text, _, _, _): return problem(nil, "not YAML: \(text)")
        default: return problem(nil, "not YAML: \(self)")
        }
    }
}
