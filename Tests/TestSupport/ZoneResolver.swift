package import DNSRecords
package import MailValues
import Synchronization

/// A resolver that knows what a test told it, and counts what it is asked. Names it was not told do not
/// exist.
package final class ZoneResolver: DNSResolver {
    package struct Zone: Sendable {
        package var mx: [String: [MXRecord]] = [:]
        package var addresses: [String: [IPAddress]] = [:]
        package var names: [IPAddress: [String]] = [:]
        package var txt: [String: [[UInt8]]] = [:]
        /// Answered to any question about that name.
        package var errors: [String: DNSError] = [:]
        package init() {}
    }

    private struct State {
        var zone: Zone
        var questionCount = 0
    }
    private let state: Mutex<State>
    private let timeToLive: Duration

    package init(timeToLive: Duration = .seconds(300), _ build: (inout Zone) -> Void = { _ in }) {
        var zone = Zone()
        build(&zone)
        state = Mutex(State(zone: zone))
        self.timeToLive = timeToLive
    }

    package var questionCount: Int { state.withLock { $0.questionCount } }

    package func change(_ body: (inout Zone) -> Void) { state.withLock { body(&$0.zone) } }

    package func mx(_ name: String) async throws(DNSError) -> DNSAnswer<MXRecord> {
        try answer(name) { $0.mx[name] }
    }

    package func addressesV4(_ name: String) async throws(DNSError) -> DNSAnswer<IPAddress> {
        try answer(name) { $0.addresses[name]?.filter(\.isV4) }
    }

    package func addressesV6(_ name: String) async throws(DNSError) -> DNSAnswer<IPAddress> {
        try answer(name) { $0.addresses[name]?.filter { !$0.isV4 } }
    }

    package func names(of address: IPAddress) async throws(DNSError) -> DNSAnswer<String> {
        try answer(address.description) { $0.names[address] }
    }

    package func txt(_ name: String) async throws(DNSError) -> DNSAnswer<[UInt8]> {
        try answer(name) { $0.txt[name] }
    }

    private func answer<Value>(
        _ name: String, _ find: (Zone) -> [Value]?
    ) throws(DNSError) -> DNSAnswer<Value> {
        let result = state.withLock { state -> Result<[Value], DNSError> in
            state.questionCount += 1
            if let error = state.zone.errors[name] { return .failure(error) }
            if let values = find(state.zone) { return .success(values) }
            let exists =
                state.zone.mx[name] != nil || state.zone.addresses[name] != nil || state.zone.txt[name] != nil
            return exists ? .success([]) : .failure(.noSuchName(isSecure: false))
        }
        return DNSAnswer(values: try result.get(), isSecure: false, timeToLive: timeToLive)
    }
}
