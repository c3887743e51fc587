import Glibc

/// What one part costs: processor time of the whole process for one operation, in nanoseconds.
struct Measurement {
    let name: String
    /// One figure for each round, in order of size.
    private let rounds: [Double]

    var median: Double { rounds[rounds.count / 2] }
    var least: Double { rounds[0] }
    var most: Double { rounds[rounds.count - 1] }

    /// Runs `body`, which does `operations` of what is measured, once to warm up and then `rounds` times.
    init(_ name: String, rounds: Int, operations: Int, _ body: () throws -> Void) rethrows {
        precondition(rounds >= 1 && operations >= 1, "a measurement measures something")
        self.name = name
        var figures: [Double] = []
        try body()
        for _ in 0..<rounds {
            let begun = Self.processorTime
            try body()
            figures.append((Self.processorTime - begun) / Double(operations))
        }
        self.rounds = figures.sorted()
    }

    /// All threads of the process, user and system, in nanoseconds.
    private static var processorTime: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}

/// A part and what it is held against, measured in the same run.
struct Comparison {
    let baseline: Measurement
    let parts: [Measurement]
}
