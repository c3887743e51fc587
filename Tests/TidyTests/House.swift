import Foundation

/// The checkout, as these tests see it.
enum House {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Files below `folder`, by path from the root; build products and what git ignores are left out.
    static func files(in folder: String, suffixes: [String]) -> [String] {
        let base = root.appending(path: folder)
        guard let walk = FileManager.default.enumerator(atPath: base.path) else { return [] }
        var found: [String] = []
        for case let path as String in walk where suffixes.contains(where: path.hasSuffix) {
            found.append("\(folder)/\(path)")
        }
        return found.sorted()
    }

    static func text(_ path: String) -> String {
        (try? String(contentsOf: root.appending(path: path), encoding: .utf8)) ?? ""
    }

    /// Target name to floor, as `Package.swift` gives it: `room(2, "QueueEngine", …`.
    static let floors: [String: Int] = {
        var floors: [String: Int] = [:]
        for match in text("Package.swift").matches(of: /room\(\s*(\d+), "(\w+)"/) {
            floors[String(match.output.2)] = Int(match.output.1)
        }
        for match in text("Package.swift").matches(of: /systemLibrary\(name: "(\w+)"/) {
            floors[String(match.output.1)] = 0
        }
        for match in text("Package.swift").matches(of: /door\(\s*"(\w+)"/) {
            floors[String(match.output.1)] = 6
        }
        return floors
    }()

    /// Modules that a Swift file imports.
    static func imports(of path: String) -> [String] {
        text(path).matches(
            of:
                /(?m)^(?:package |internal |private |public |@preconcurrency |@testable )*import (?:struct |class |enum |func )?(\w+)/
        )
        .map { String($0.output.1) }
    }

    static func target(of path: String) -> String { String(path.split(separator: "/")[1]) }
}
