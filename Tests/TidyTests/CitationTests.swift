import Testing

@Suite("Citations")
struct CitationTests {
    @Test("each RFC cited in a module with Standards.md has its row there")
    func citedStandardsAreListed() {
        let standards = House.files(in: "Sources", suffixes: ["Standards.md"])
        #expect(standards.count >= 3)
        for page in standards {
            let target = House.target(of: page)
            let listed = Set(House.text(page).matches(of: /RFC (\d{3,5})/).map { String($0.output.1) })
            for path in House.files(in: "Sources/\(target)", suffixes: [".swift"]) {
                for match in House.text(path).matches(of: /RFC (\d{3,5})/) {
                    #expect(
                        listed.contains(String(match.output.1)),
                        "\(path) cites RFC \(match.output.1), \(page) does not list it")
                }
            }
        }
    }
}
