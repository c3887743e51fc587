import Synchronization

/// A number that only grows: how often something happened since the process started.
///
/// An increment is one relaxed atomic addition: it orders nothing, and a reader may be an instant behind.
package final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    package init() {}

    package func increment(by amount: Int = 1) {
        count.wrappingAdd(UInt64(truncatingIfNeeded: amount), ordering: .relaxed)
    }

    package var value: UInt64 { count.load(ordering: .relaxed) }
}

/// A number that goes up and down: how many there are at this moment.
package final class Gauge: Sendable {
    private let level = Atomic<Int64>(0)

    package init() {}

    package func set(_ value: Int) { level.store(Int64(value), ordering: .relaxed) }
    package func add(_ amount: Int) { level.wrappingAdd(Int64(amount), ordering: .relaxed) }
    package var value: Int64 { level.load(ordering: .relaxed) }
}

/// A gauge for each case of a fixed set.
package final class GaugeTable<Label: CaseIterable & RawRepresentable<String> & Hashable & Sendable>: Sendable
{
    private let gauges: [Label: Gauge]

    package init() {
        gauges = Dictionary(uniqueKeysWithValues: Label.allCases.map { ($0, Gauge()) })
    }

    package subscript(_ label: Label) -> Gauge {
        guard let gauge = gauges[label] else { preconditionFailure("allCases holds every case") }
        return gauge
    }
}

/// How durations or sizes are spread: a count for each range, and the sum.
///
/// Values are whole numbers of `unit` (microseconds, for instance); the page shows them divided by
/// `unitsPerWhole`, because Prometheus wants seconds and an atomic wants integers.
package final class Histogram: Sendable {
    /// Inclusive upper bounds in ascending order; a last range without bound follows.
    package let bounds: [UInt64]
    let unitsPerWhole: UInt64
    private let counts: [Counter]
    private let total = Counter()

    package init(bounds: [UInt64], unitsPerWhole: UInt64) {
        precondition(bounds == bounds.sorted() && Set(bounds).count == bounds.count, "bounds ascend")
        self.bounds = bounds
        self.unitsPerWhole = unitsPerWhole
        counts = (0...bounds.count).map { _ in Counter() }
    }

    /// Seconds in three steps a decade from 100 µs to 100 s; values are microseconds.
    package static func latency() -> Histogram {
        Histogram(
            bounds: [
                100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
                1_000_000, 2_500_000, 10_000_000, 100_000_000,
            ], unitsPerWhole: 1_000_000)
    }

    /// Seconds from one to five days; values are milliseconds.
    package static func age() -> Histogram {
        Histogram(
            bounds: [
                100, 1000, 5000, 15_000, 60_000, 300_000, 900_000, 3_600_000, 14_400_000, 86_400_000,
                432_000_000,
            ], unitsPerWhole: 1000)
    }

    /// Plain counts in powers of two up to 1,024.
    package static func amount() -> Histogram {
        Histogram(bounds: (0...10).map { 1 << $0 }, unitsPerWhole: 1)
    }

    /// In the histogram's own unit.
    package func observe(_ value: UInt64) {
        var index = 0
        while index < bounds.count && value > bounds[index] { index &+= 1 }
        counts[index].increment()
        total.increment(by: Int(truncatingIfNeeded: value))
    }

    package func observe(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let units = Int64(unitsPerWhole)
        observe(UInt64(max(0, seconds * units + attoseconds / (1_000_000_000_000_000_000 / units))))
    }

    /// The counts of each range, the unbounded one last, and the sum of all values, in the histogram's own
    /// unit.
    package var snapshot: (counts: [UInt64], sum: UInt64) { (counts.map(\.value), total.value) }
}

/// A counter for each case of a fixed set: `chappe_attempts_total{outcome="delivered"}`.
///
/// The set is an enum, so that no stranger's word can become a label and grow the page without end.
package final class CounterTable<Label: CaseIterable & RawRepresentable<String> & Hashable & Sendable>:
    Sendable
{
    private let counters: [Label: Counter]

    package init() {
        counters = Dictionary(uniqueKeysWithValues: Label.allCases.map { ($0, Counter()) })
    }

    /// Kept by who counts often, the counter costs no look-up.
    package subscript(_ label: Label) -> Counter {
        guard let counter = counters[label] else { preconditionFailure("allCases holds every case") }
        return counter
    }
}
