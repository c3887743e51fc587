import Synchronization

/// All metrics of a process by name, and the page that Prometheus reads.
package final class MetricRegistry: Sendable {
    private struct Family: Sendable {
        let name: StaticString
        let help: StaticString
        let kind: StaticString
        /// Appends one or more samples.
        let samples: @Sendable (_ page: inout String) -> Void
    }

    private let families = Mutex<[Family]>([])

    package init() {}

    package func counter(_ name: StaticString, _ help: StaticString) -> Counter {
        let counter = Counter()
        add(name, help, "counter") { $0 += "\(name) \(counter.value)\n" }
        return counter
    }

    package func counters<Label>(
        _ name: StaticString, _ help: StaticString, label: StaticString
    ) -> CounterTable<Label> {
        let table = CounterTable<Label>()
        add(name, help, "counter") { page in
            for value in Label.allCases {
                page += "\(name){\(label)=\"\(value.rawValue)\"} \(table[value].value)\n"
            }
        }
        return table
    }

    package func gauge(_ name: StaticString, _ help: StaticString) -> Gauge {
        let gauge = Gauge()
        add(name, help, "gauge") { $0 += "\(name) \(gauge.value)\n" }
        return gauge
    }

    package func gauges<Label>(
        _ name: StaticString, _ help: StaticString, label: StaticString
    ) -> GaugeTable<Label> {
        let table = GaugeTable<Label>()
        add(name, help, "gauge") { page in
            for value in Label.allCases {
                page += "\(name){\(label)=\"\(value.rawValue)\"} \(table[value].value)\n"
            }
        }
        return table
    }

    /// A gauge that is read when the page is asked for; `read` may come from any thread and must not wait.
    package func gauge(_ name: StaticString, _ help: StaticString, read: @escaping @Sendable () -> Double) {
        add(name, help, "gauge") { $0 += "\(name) \(Self.text(read()))\n" }
    }

    /// A counter that somebody else keeps.
    package func counter(_ name: StaticString, _ help: StaticString, read: @escaping @Sendable () -> UInt64) {
        add(name, help, "counter") { $0 += "\(name) \(read())\n" }
    }

    package func histogram(_ name: StaticString, _ help: StaticString, _ histogram: Histogram) -> Histogram {
        add(name, help, "histogram") { page in
            let (counts, sum) = histogram.snapshot
            var cumulative: UInt64 = 0
            for (index, count) in counts.enumerated() {
                cumulative += count
                let bound =
                    index < histogram.bounds.count
                    ? Self.text(histogram.bounds[index], of: histogram) : "+Inf"
                page += "\(name)_bucket{le=\"\(bound)\"} \(cumulative)\n"
            }
            page += "\(name)_sum \(Self.text(sum, of: histogram))\n\(name)_count \(cumulative)\n"
        }
        return histogram
    }

    /// `chappe_build_info{version="…"} 1`: what is known once and never changes.
    package func info(_ name: StaticString, _ help: StaticString, label: StaticString, value: String) {
        let safe = value.filter { $0 != "\"" && $0 != "\\" && !$0.isNewline }
        add(name, help, "gauge") { $0 += "\(name){\(label)=\"\(safe)\"} 1\n" }
    }

    /// The page, in Prometheus' text format 0.0.4.
    package func page() -> String {
        var page = ""
        for family in families.withLock({ $0 }) {
            page += "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.kind)\n"
            family.samples(&page)
        }
        return page
    }

    private func add(
        _ name: StaticString, _ help: StaticString, _ kind: StaticString,
        samples: @escaping @Sendable (inout String) -> Void
    ) {
        families.withLock { families in
            precondition(
                !families.contains { "\($0.name)" == "\(name)" }, "two metrics of one name: \(name)")
            families.append(Family(name: name, help: help, kind: kind, samples: samples))
        }
    }

    private static func text(_ units: UInt64, of histogram: Histogram) -> String {
        text(Double(units) / Double(histogram.unitsPerWhole))
    }

    /// Whole numbers without a point, which is how people read counts.
    private static func text(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value > 0 ? "+Inf" : "-Inf" }
        return value == value.rounded() && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)"
    }
}
