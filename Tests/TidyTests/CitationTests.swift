import Testing

@Suite("Citations")
struct CitationTests {
    /// The highest floor whose modules speak protocols; above it stand the house and its doors.
    private static let protocolFloorHighest = 4

    private static func rows(of page: String) -> Set<String> {
        Set(House.text(page).matches(of: /(?m)^\| RFC (\d{3,5})\s/).map { String($0.output.1) })
    }

    /// Each cited number with one file that cites it.
    private static func citations(in target: String) -> [String: String] {
        House.files(in: "Sources/\(target)", suffixes: [".swift"]).reduce(into: [:]) { found, path in
            for match in House.text(path).matches(of: /RFC (\d{3,5})/) {
                found[String(match.output.1)] = path
            }
        }
    }

    @Test(
        "each RFC cited in a module of floors 0 to 4 has its row in that module's Standards.md",
        arguments: House.floors.filter { $0.value <= protocolFloorHighest }.keys.sorted())
    func citedStandardsAreListed(_ target: String) {
        let page = "Sources/\(target)/\(target).docc/Standards.md"
        let listed = Self.rows(of: page)
        for (number, path) in Self.citations(in: target) {
            #expect(listed.contains(number), "\(path) cites RFC \(number), \(page) has no row for it")
        }
    }

    @Test("the house and the doors cite only what some module below them has a row for")
    func citationsAbove() {
        let all = House.floors.keys.reduce(into: Set<String>()) {
            $0.formUnion(Self.rows(of: "Sources/\($1)/\($1).docc/Standards.md"))
        }
        #expect(all.count > 20)
        for target in House.floors.filter({ $0.value > Self.protocolFloorHighest }).keys {
            for (number, path) in Self.citations(in: target) {
                #expect(all.contains(number), "\(path) cites RFC \(number), which no Standards.md lists")
            }
        }
    }

    @Test("a row names tests that exist")
    func namedTestsExist() {
        let files = House.files(in: "Tests", suffixes: [".swift", ".smtp"])
        var names = Set(files.map { $0.split(separator: "/").last.map(String.init) ?? "" })
        for path in files {
            names.formUnion(House.text(path).matches(of: /struct (\w+Tests)/).map { String($0.output.1) })
        }
        for page in House.files(in: "Sources", suffixes: ["Standards.md"]) {
            for line in House.text(page).split(separator: "\n") where line.hasPrefix("| RFC ") {
                let cells = line.split(separator: "|")
                for match in (cells.last ?? "").matches(of: /`([^`]+)`/) {
                    let name = String(match.output.1)
                    #expect(
                        names.contains(name) || names.contains(name + ".swift"),
                        "\(page) names \(name), which is no file and no suite below Tests")
                }
            }
        }
    }
}
