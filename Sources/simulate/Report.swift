import ClusterSimulation
import Foundation

/// One scenario's outcome as a line.
enum Report {
    static func line(
        _ scenario: Scenario, nodes: Int, seeds: UInt64, _ figures: Figures, took: Duration
    ) -> String {
        var parts = [
            "\(scenario.name): \(nodes) nodes, \(seeds) seeds, \(Int(scenario.seconds)) s each in \(seconds(took))"
        ]
        if let text = spread(figures.killedKnown) { parts.append("killed known \(text)") }
        if let text = spread(figures.silentKnown) { parts.append("silent known \(text)") }
        if let text = spread(figures.agreed) { parts.append("agreed \(text)") }
        if let text = spread(figures.factsKnown) { parts.append("\(figures.factsSaid) facts known \(text)") }
        if let text = spread(figures.factsAgreed) { parts.append("facts agreed \(text)") }
        if let text = spread(figures.ordersAgreed) { parts.append("orders agreed \(text)") }
        let octets = figures.octetsPerSecond
        parts.append(String(format: "membership %.0f octets/s a node (most %.0f)", octets.mean, octets.most))
        if figures.clonesStopped > 0 { parts.append("\(figures.clonesStopped) clones ended") }
        if figures.stalls > 0 { parts.append("\(figures.stalls) stalls") }
        return parts.joined(separator: "; ")
    }

    private static func spread(_ values: [Int64]) -> String? {
        guard let median = Figures.percentile(0.5, of: values),
            let late = Figures.percentile(0.99, of: values),
            let last = values.max()
        else { return nil }
        return "p50 \(median) p99 \(late) max \(last) ms"
    }

    private static func seconds(_ span: Duration) -> String {
        String(format: "%.1f s", Double(span.components.seconds) + Double(span.components.attoseconds) / 1e18)
    }
}
