import Synchronization
import Telemetry

/// Keeps the lines of all events.
package final class EventCollector: EventSink {
    private let state = Mutex<[String]>([])
    package init() {}
    package var lines: [String] { state.withLock { $0 } }
    package func write(_ line: [UInt8]) {
        state.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
    }
}
