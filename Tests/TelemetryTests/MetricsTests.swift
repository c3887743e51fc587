import Foundation
import Telemetry
import Testing

private enum Outcome: String, CaseIterable, Sendable { case delivered, deferred }

@Suite("The metrics page")
struct MetricsTests {
    @Test("a counter stands with its help and its type")
    func counter() {
        let registry = MetricRegistry()
        let counter = registry.counter("chappe_things_total", "Things.")
        counter.increment()
        counter.increment(by: 41)
        #expect(
            registry.page() == """
                # HELP chappe_things_total Things.
                # TYPE chappe_things_total counter
                chappe_things_total 42

                """)
    }

    @Test("a table shows every case, also those that never happened")
    func table() {
        let registry = MetricRegistry()
        let table: CounterTable<Outcome> = registry.counters("a_total", "A.", label: "outcome")
        table[.deferred].increment()
        #expect(
            registry.page() == """
                # HELP a_total A.
                # TYPE a_total counter
                a_total{outcome="delivered"} 0
                a_total{outcome="deferred"} 1

                """)
    }

    @Test("a histogram's ranges are cumulative and its sum is in whole units")
    func histogram() {
        let registry = MetricRegistry()
        let histogram = registry.histogram(
            "h_seconds", "H.", Histogram(bounds: [1000, 2000], unitsPerWhole: 1000))
        histogram.observe(.milliseconds(1000))
        histogram.observe(1001)
        histogram.observe(.seconds(5))
        #expect(
            registry.page() == """
                # HELP h_seconds H.
                # TYPE h_seconds histogram
                h_seconds_bucket{le="1"} 1
                h_seconds_bucket{le="2"} 2
                h_seconds_bucket{le="+Inf"} 3
                h_seconds_sum 7.001
                h_seconds_count 3

                """)
    }

    @Test("gauges are set, moved, or read when asked for")
    func gauges() {
        let registry = MetricRegistry()
        let gauge = registry.gauge("g", "G.")
        registry.gauge("r", "R.") { 0.5 }
        registry.info("i", "I.", label: "version", value: "1\"2\n3")
        gauge.set(5)
        gauge.add(-7)
        let lines = registry.page().split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines == ["g -2", "r 0.5", "i{version=\"123\"} 1"])
    }

    @Test("the node's page has one help line for each type line, and no name twice")
    func node() {
        let metrics = NodeMetrics()
        let lines = metrics.registry.page().split(separator: "\n")
        let named = lines.filter { $0.hasPrefix("# TYPE ") }
        #expect(named.count == lines.filter { $0.hasPrefix("# HELP ") }.count)
        #expect(Set(named).count == named.count)
        #expect(lines.allSatisfy { $0.hasPrefix("#") || $0.hasPrefix("chappe_") })
    }
}

@Suite("What watches the metrics")
struct WatchedMetricsTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test(
        "alerts and dashboard ask for metrics that a node has, by labels that it writes",
        arguments: ["ops/monitoring/alerts.yaml", "ops/monitoring/dashboard.json"])
    func exist(path: String) throws {
        let text = try String(contentsOf: Self.folder.appending(path: path), encoding: .utf8)
            .replacing("\\\"", with: "\"")
        let page = NodeMetrics().registry.page()
        let names = text.matches(of: #/chappe_[a-z_]+/#).map { String($0.output) }
        #expect(names.count > 20)
        for name in Set(names) { #expect(page.contains("\n\(name)"), "\(name) is nobody's metric") }
        for match in text.matches(of: #/(chappe_[a-z_]+)\{([a-z]+)=~?"([a-z_|]+)"/#)
        where match.output.2 != "instance" {
            for value in match.output.3.split(separator: "|") {
                let sample = "\n\(match.output.1){\(match.output.2)=\"\(value)\"}"
                #expect(page.contains(sample), "no sample is \(sample.dropFirst())")
            }
        }
    }

    @Test("each alert names a runbook that is there")
    func runbooks() throws {
        let alerts = try String(
            contentsOf: Self.folder.appending(path: "ops/monitoring/alerts.yaml"), encoding: .utf8)
        let pages = alerts.matches(of: #/runbook: (.+)/#).map { String($0.output.1) }
        #expect(pages.count == alerts.matches(of: #/- alert: /#).count)
        for page in Set(pages) {
            #expect(FileManager.default.fileExists(atPath: Self.folder.appending(path: page).path), "\(page)")
        }
    }
}
