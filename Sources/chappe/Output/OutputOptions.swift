import ArgumentParser
import FoundationEssentials

/// In which form a command answers.
enum OutputForm: String, ExpressibleByArgument, CaseIterable {
    case table, wide, json, jsonl
}

struct OutputOptions: ParsableArguments {
    @Option(name: [.customShort("o"), .long], help: "table, wide, json or jsonl.")
    var output: OutputForm = .table

    @Flag(name: .long, help: "No line of titles above a table.")
    var noHeaders = false

    @Flag(name: [.customShort("q"), .long], help: "Ids or exit codes only.")
    var quiet = false

    var isTable: Bool { output == .table || output == .wide }

    func lines(_ table: Table) -> [String] { table.lines(withHeaders: !noHeaders) }
}

extension Screen {
    /// One document, indented for people who read it all the same.
    func sayJSON(_ value: some Encodable) throws { say(try Self.json(value, pretty: true)) }

    /// An answer in the form that was asked for. `rows`: what stands on a line each as jsonl, if not the
    /// document.
    func answer(
        _ form: OutputOptions, _ document: some Encodable, rows: [any Encodable]? = nil,
        brief: @autoclosure () -> [String] = [], page: @autoclosure () -> [String]
    ) throws {
        switch (form.output, form.quiet) {
        case (.json, _): try sayJSON(document)
        case (.jsonl, _): for row in rows ?? [document] { try sayJSONLine(row) }
        case (.table, true), (.wide, true): for line in brief() { say(line) }
        case (.table, false), (.wide, false): for line in page() { say(line) }
        }
    }

    /// One document on one line.
    func sayJSONLine(_ value: some Encodable) throws { say(try Self.json(value, pretty: false)) }

    static func json(_ value: some Encodable, pretty: Bool) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty
            ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
