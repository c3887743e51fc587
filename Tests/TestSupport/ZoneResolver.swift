package import DNSRecords
package import MailValues
import Synchronization

/// A resolver that knows what a test told it, and counts what it is asked. Names it was not told do not
/// exist.
package final class ZoneResolver: DNSResolver {
    package struct Zone: Sendable {
        package var mx: [String: [MXRecord]] = [:]
        package var addresses: [String: [IPAddress]] = [:]
        /// What a zone's AAAA records say in the mapped form; `IPAddress` knows it as IPv4 alone.
        package var mapped: [String: [IPAddress]] = [:]
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
    private let asked: @Sendable (String) async -> Void

    /// - Parameter asked: awaited before any question about a name is answered.
    package init(
        timeToLive: Duration = .seconds(300), _ build: (inout Zone) -> Void = { _ in },
        asked: @escaping @Sendable (String) async -> Void = { _ in }
    ) {
        self.asked = asked
        var zone = Zone()
        build(&zone)
        state = Mutex(State(zone: zone))
        self.timeToLive = timeToLive
    }

    package var questionCount: Int { state.withLock { $0.questionCount } }

    package func change(_ body: (inout Zone) -> Void) { state.withLock { body(&$0.zone) } }

    package func mx(_ name: String) async throws(DNSError) -> DNSAnswer<MXRecord> {
        try await answer(name) { $0.mx[name] }
    }

    package func addressesV4(_ name: String) async throws(DNSError) -> DNSAnswer<IPAddress> {
        try await answer(name) { $0.addresses[name]?.filter(\.isV4) }
    }

    package func addressesV6(_ name: String) async throws(DNSError) -> DNSAnswer<IPAddress> {
        try await answer(name) { zone in
            guard let mapped = zone.mapped[name] else { return zone.addresses[name]?.filter { !$0.isV4 } }
            return mapped + (zone.addresses[name] ?? []).filter { !$0.isV4 }
        }
    }

    package func names(of address: IPAddress) async throws(DNSError) -> DNSAnswer<String> {
        try await answer(address.description) { $0.names[address] }
    }

    package func txt(_ name: String) async throws(DNSError) -> DNSAnswer<[UInt8]> {
        try await answer(name) { $0.txt[name] }
    }

    private func answer<Value>(
        _ name: String, _ find: (Zone) -> [Value]?
    ) async throws(DNSError) -> DNSAnswer<Value> {
        await asked(name)
        let result = state.withLock { state -> Result<[Value], DNSError> in
            state.questionCount += 1
            if let error = state.zone.errors[name] { return .failure(error) }
            if let values = find(state.zone) { return .success(values) }
            let exists =
                state.zone.mx[name] != nil || state.zone.addresses[name] != nil || state.zone.txt[name] != nil
                || state.zone.mapped[name] != nil
            return exists ? .success([]) : .failure(.noSuchName(isSecure: false))
        }
        return DNSAnswer(values: try result.get(), isSecure: false, timeToLive: timeToLive)
    }
}
