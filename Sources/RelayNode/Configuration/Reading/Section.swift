import MailValues
import Yams

/// One mapping of the file, read key by key.
///
/// `Codable` would spare some of this, but its errors name a type and a coding path, and an unknown key is no
/// error to it at all. A postmaster needs the line, the column and the word that he probably meant; and all
/// mistakes at once, not one for each try. So we walk the nodes of Yams, which carry their places, and note
/// which keys were asked for: what nobody asked for is unknown, and what was asked for is the list to find
/// the nearest in.
final class Section {
    let problems: ProblemList
    /// `delivery.retry`, for messages; empty at the top.
    let path: String
    let place: Place
    private var entries: [String: (key: Node, value: Node)] = [:]
    private var known: [String] = []

    init(_ node: Node?, path: String, problems: ProblemList) {
        self.problems = problems
        self.path = path
        place = node?.place ?? .file
        guard let node, !node.isMissing else { return }
        guard case .mapping(let mapping) = node else {
            problems.error(
                at: node.place, "\(Self.display(path)) expects settings below it, one `name: value` a line")
            return
        }
        for (key, value) in mapping {
            guard case .scalar(let name) = key else {
                problems.error(at: key.place, "a setting's name is a plain word")
                continue
            }
            entries[name.string] = (key, value)
        }
    }

    /// Where a setting stands, or its section if it is absent.
    func place(of name: String) -> Place { entries[name]?.value.place ?? place }

    func has(_ name: String) -> Bool {
        note(name)
        return entries[name] != nil
    }

    func node(_ name: String) -> Node? {
        note(name)
        return entries[name]?.value
    }

    /// Names that were not fixed beforehand, such as domains, each with its key; in the order of the file.
    func freeEntries() -> [(name: String, key: Place, value: Node)] {
        let rest = entries.filter { !known.contains($0.key) }
        known += rest.keys
        return rest.map { ($0.key, $0.value.key.place, $0.value.value) }.sorted {
            ($0.1.line, $0.1.column) < ($1.1.line, $1.1.column)
        }
    }

    /// The value, or nil if it is absent or wrong; what is wrong is noted.
    func value<Value>(_ name: String, _ kind: SettingKind<Value>) -> Value? {
        guard let node = node(name) else { return nil }
        return value(of: node, kind, name: name)
    }

    func read<Value>(_ name: String, _ kind: SettingKind<Value>, into target: inout Value) {
        if let value = value(name, kind) { target = value }
    }

    func read<Value>(_ name: String, _ kind: SettingKind<Value>, into target: inout Value?) {
        if let value = value(name, kind) { target = value }
    }

    func required<Value>(_ name: String, _ kind: SettingKind<Value>, why: String) -> Value? {
        guard has(name) else {
            problems.error(at: place, "\(display(name)) is missing: \(why)")
            return nil
        }
        return value(name, kind)
    }

    /// A list, or one value alone, with the place of each.
    func list<Value>(_ name: String, _ kind: SettingKind<Value>) -> [(value: Value, place: Place)] {
        guard let node = node(name) else { return [] }
        if case .sequence(let sequence) = node {
            return sequence.compactMap { item in
                value(of: item, kind, name: name).map { ($0, item.place) }
            }
        }
        return value(of: node, kind, name: name).map { [($0, node.place)] } ?? []
    }

    func values<Value>(_ name: String, _ kind: SettingKind<Value>) -> [Value] {
        list(name, kind).map(\.value)
    }

    /// The section below a name, empty if it is absent.
    func section(_ name: String) -> Section { Section(node(name), path: join(name), problems: problems) }

    /// The sections of a list.
    func sections(_ name: String) -> [Section] {
        guard let node = node(name), !node.isMissing else { return [] }
        guard case .sequence(let sequence) = node else {
            problems.error(at: node.place, "\(display(name)) expects a list: items that begin with `- `")
            return []
        }
        return sequence.enumerated().map {
            let path = "\(join(name))[\($0.offset)]"
            problems.note(place: $0.element.place, of: path)
            return Section($0.element, path: path, problems: problems)
        }
    }

    /// Notes every name that nobody asked for. Called last.
    func finish() {
        for (name, entry) in entries where !known.contains(name) {
            let meant = NearestName.of(name, in: known).map { "; did you mean `\($0)`?" } ?? ""
            problems.error(at: entry.key.place, "unknown setting \(display(name))\(meant)")
        }
    }

    func value<Value>(of node: Node, _ kind: SettingKind<Value>, name: String) -> Value? {
        guard case .scalar(let scalar) = node, !node.isMissing else {
            let found = node.isMissing ? "nothing" : "a list or section"
            problems.error(
                at: node.place,
                "\(display(name)) expects \(kind.expectation), and has \(found)\(Self.hint(node))")
            return nil
        }
        guard let value = kind.parse(scalar.string) else {
            problems.error(
                at: node.place,
                "\(display(name)) expects \(kind.expectation), not `\(scalar.string.printable(limit: 80))`")
            return nil
        }
        return value
    }

    /// `[::]:25` without quotes is a list to YAML.
    private static func hint(_ node: Node) -> String {
        if case .sequence = node { return "; what begins with a bracket must stand in quotes" }
        return ""
    }

    private func note(_ name: String) {
        guard !known.contains(name) else { return }
        known.append(name)
        problems.note(setting: join(name))
        if let entry = entries[name] { problems.note(place: entry.value.place, of: join(name)) }
    }

    private func join(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
    func display(_ name: String) -> String { Self.display(join(name)) }
    private static func display(_ path: String) -> String { path.isEmpty ? "the configuration" : "`\(path)`" }
}

extension Node {
    /// `name:` with nothing behind it.
    var isMissing: Bool {
        if case .scalar(let scalar) = self {
            return scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
        }
        return false
    }
}
