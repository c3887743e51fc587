import ArgumentParser
import Foundation

/// Measures parts of the relay, each against a baseline of the same run: compare ratios, and build for release.
@main
struct Benchmarks: ParsableCommand {
    enum Part: String, CaseIterable, ExpressibleByArgument { case session, intake, store }

    static let configuration = CommandConfiguration(
        commandName: "benchmarks",
        abstract: "Measures parts of the relay in processor time, each against a baseline of the same run.",
        discussion: "The whole relay is measured beside Postfix by ops/bench/compare.")

    @Argument(help: "What to measure: session, intake, store. Default: all.")
    var parts: [Part] = Part.allCases
    @Option(help: "Counted rounds of each; one more warms up.")
    var rounds = 5
    @Option(help: "A folder on the disk to measure, in which a store is made and removed.")
    var folder = NSTemporaryDirectory()

    func validate() throws {
        guard (1...100).contains(rounds) else { throw ValidationError("1 to 100 rounds") }
    }

    func run() throws {
        print(Self.row("PART", "UNIT", "MEDIAN", "LEAST", "MOST", "OVER BASELINE", "RATIO"))
        for part in parts {
            let comparison =
                switch part {
                case .session: SessionBenchmark.run(rounds: rounds)
                case .intake: IntakeBenchmark.run(rounds: rounds)
                case .store: try measureStore()
                }
            for measurement in [comparison.baseline] + comparison.parts {
                print(Self.line(measurement, over: comparison.baseline))
            }
        }
    }

    private func measureStore() throws -> Comparison {
        let place = URL(fileURLWithPath: folder).appendingPathComponent("benchmark-\(getpid())").path
        defer { try? FileManager.default.removeItem(atPath: place) }
        return try StoreBenchmark.run(rounds: rounds, folder: place)
    }

    private static func line(_ measurement: Measurement, over baseline: Measurement) -> String {
        row(
            measurement.name, "us CPU/message", microseconds(measurement.median),
            microseconds(measurement.least), microseconds(measurement.most),
            microseconds(measurement.median - baseline.median),
            String(format: "%.2f", measurement.median / baseline.median))
    }

    private static func microseconds(_ nanoseconds: Double) -> String {
        String(format: "%.2f", nanoseconds / 1e3)
    }

    private static func row(_ name: String, _ columns: String...) -> String {
        name.padding(toLength: 22, withPad: " ", startingAt: 0)
            + columns.map { String(repeating: " ", count: max(1, 16 - $0.count)) + $0 }.joined()
    }
}
