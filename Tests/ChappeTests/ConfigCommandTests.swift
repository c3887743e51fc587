import AdminProtocol
import Testing

@testable import chappe

@Suite("chappe config check")
struct ConfigCommandTests {
    @Test("a file that is not there is an error that names it")
    func missing() throws {
        let run = try CommandRun.here(["config", "check", "/nowhere/chappe.yaml"])
        #expect(run.outcome == .refused)
        #expect(run.output.hasPrefix("/nowhere/chappe.yaml: error: "))
    }

    @Test("findings are written so that editors jump to the line")
    func findings() {
        let report = ConfigurationReport(
            path: "c.yaml",
            findings: [
                .init(.error, line: 12, column: 3, "no such key\u{7}"), .init(.warning, "no trust anchor"),
            ])
        #expect(
            ReportPage.lines(report) == [
                "c.yaml:12:3: error: no such key\u{FFFD}", "c.yaml: warning: no trust anchor",
            ])
        #expect(ReportPage.lines(.init(path: "c.yaml", findings: [])) == ["c.yaml: nothing is wrong"])
    }
}
