import ArgumentParser
import ClusterSimulation
import Foundation

/// Runs a cluster of made-up nodes on virtual time, and watches the promises.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Runs the cluster's machines on virtual time and watches what is promised.",
        discussion: """
            A scenario is a file below cluster/scenarios, by its name, or any file. `all` stands for all of them.
            Exit status 1: a promise was broken; the seed that shows it again is printed.
            """)

    @Option(help: "Nodes of the cluster.")
    var nodes = 5
    @Option(help: "The first seed.")
    var seed: UInt64 = 1
    @Option(help: "How many seeds, one after the other.")
    var seeds: UInt64 = 1
    @Option(help: "A name below cluster/scenarios, a file, or `all`.")
    var scenario: [String] = ["all"]
    @Option(help: "Where the scenarios lie.")
    var folder = "cluster/scenarios"
    @Option(help: "Run for so many seconds in place of the scenario's.")
    var seconds: Double?
    @Option(help: "Threads; 0 is one for each processor.")
    var threads = 0

    func validate() throws {
        guard (1...4_096).contains(nodes) else { throw ValidationError("a cluster has 1 to 4096 nodes") }
    }

    func run() throws {
        var isWhole = true
        for var scenario in try scenarios() {
            scenario.seconds = seconds ?? scenario.seconds
            let began = ContinuousClock.now
            let (figures, broken) = watch(scenario)
            let took = ContinuousClock.now - began
            Self.say(Report.line(scenario, nodes: nodes, seeds: seeds, figures, took: took))
            if let broken {
                Self.say("\(broken)")
                isWhole = false
            }
        }
        if !isWhole { throw ExitCode(1) }
    }

    /// At once, also into a file: a long run is watched.
    private static func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

    /// All seeds of one scenario, on as many threads as there are; of several broken runs the lowest seed counts.
    private func watch(_ scenario: Scenario) -> (Figures, BrokenPromise?) {
        let width = max(1, threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount)
        let harvest = Harvest()
        let (first, count, nodes) = (seed, seeds, nodes)
        DispatchQueue.concurrentPerform(iterations: min(width, Int(count))) { _ in
            while let turn = harvest.next(below: count) {
                let world = World(scenario, nodes: nodes, seed: first + turn)
                let broken = world.run()
                harvest.add(world.figures, broken)
            }
        }
        return harvest.all
    }

    private func scenarios() throws -> [Scenario] {
        var paths: [String] = []
        for name in scenario {
            if name == "all" {
                let files = try FileManager.default.contentsOfDirectory(atPath: folder)
                paths += files.filter { $0.hasSuffix(".json") }.sorted().map { "\(folder)/\($0)" }
            } else {
                paths.append(name.hasSuffix(".json") ? name : "\(folder)/\(name).json")
            }
        }
        return try paths.map { path in
            let data = try Data(contentsOf: URL(filePath: path))
            do { return try JSONDecoder().decode(Scenario.self, from: data) } catch {
                throw ValidationError("\(path): \(error)")
            }
        }
    }
}

/// What several threads bring in; a lock guards all of it.
private final class Harvest: @unchecked Sendable {
    private let lock = NSLock()
    private var figures = Figures()
    private var broken: BrokenPromise?
    private var turn: UInt64 = 0

    func next(below count: UInt64) -> UInt64? {
        lock.withLock {
            guard turn < count else { return nil }
            defer { turn += 1 }
            return turn
        }
    }

    func add(_ figures: Figures, _ broken: BrokenPromise?) {
        lock.withLock {
            self.figures.add(figures)
            guard let broken, broken.seed < self.broken?.seed ?? .max else { return }
            self.broken = broken
        }
    }

    var all: (Figures, BrokenPromise?) { lock.withLock { (figures, broken) } }
}
