import Yams

/// What was found so far while one file is read.
final class ProblemList {
    private(set) var all: [ConfigurationProblem] = []

    /// Every setting that was asked for, such as `relay.abuse`; items and free names leave no trace.
    private(set) var settings: Set<String> = []

    func note(setting: String) { settings.insert(setting) }

    /// Where each setting of this file stands, items of lists by their number: `listeners[0].address`.
    private(set) var places: [String: Place] = [:]

    func note(place: Place, of setting: String) { places[setting] = place }

    var hasErrors: Bool { all.contains { $0.severity == .error } }

    var inOrder: [ConfigurationProblem] {
        var seen: Set<ConfigurationProblem> = []
        return all.filter { seen.insert($0).inserted }.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
    }

    func error(at place: Place, _ message: String) { add(.error, place, message) }
    func warning(at place: Place, _ message: String) { add(.warning, place, message) }

    private func add(_ severity: ConfigurationProblem.Severity, _ place: Place, _ message: String) {
        all.append(ConfigurationProblem(severity, line: place.line, column: place.column, message))
    }
}

/// A place in the file, from 1; zeros mean the file as a whole.
struct Place: Equatable {
    var line = 0
    var column = 0

    static let file = Place()

    init() {}

    init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    init(_ mark: Mark?) {
        line = mark?.line ?? 0
        column = mark?.column ?? 0
    }
}

extension Node {
    var place: Place { Place(mark) }
}
