package import DNSRecords
import Glibc
package import MailValues

/// The validating resolver: libunbound behind a cache, a limit, and a clock.
package final class UnboundResolver: DNSResolver {
    private let core: ResolverCore
    private let hosts: HostsFile
    /// What the operator should hear at start; empty when all is well.
    package let warnings: [String]

    /// Opens a resolver; the first question is asked of nobody outside.
    package init(_ settings: ResolverSettings) throws(ResolverOpenError) {
        var settings = settings
        warnings = Self.mend(&settings)
        hosts = settings.hosts
        core = try ResolverCore(try UnboundContext(settings), limits: settings.limits)
        try core.run()
    }

    deinit { core.stop() }

    /// Everybody who waits hears "later"; returns when the threads have ended.
    package func close() async {
        core.stop()
        await core.stopped()
    }

    package var statistics: ResolverStatistics { core.statistics }

    /// What is missing costs something, and is said, but does not stop a relay.
    private static func mend(_ settings: inout ResolverSettings) -> [String] {
        var warnings: [String] = []
        if case .file(let path) = settings.trustAnchor, access(path, R_OK) != 0 {
            settings.trustAnchor = .none
            warnings.append(
                "dns: the trust anchor \(path) cannot be read: DNSSEC is off, no answer is secure, DANE cannot be used. "
                    + "Install the package dns-root-data, or name another file in dns.trust-anchor.")
        }
        var files = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 {
            let fitting = settings.limits.fitting(descriptors: Int(clamping: files.rlim_cur))
            if fitting != settings.limits {
                settings.limits = fitting
                warnings.append(
                    "dns: this process may open \(files.rlim_cur) files, too few for its look-ups: "
                        + "\(fitting.socketCount) at once instead. Raise the limit (LimitNOFILE, ulimit -n).")
            }
        }
        return warnings
    }

    // MARK: DNSResolver

    package func mx(_ name: String) async throws(DNSError) -> DNSAnswer<MXRecord> {
        do {
            return try await answer(name, .mx) { if case .mx(let values) = $0 { values } else { [] } }
        } catch .noSuchName(let isSecure) {
            // A name of the hosts file exists, so it may be its own mail host (RFC 5321 §5.1).
            guard let key = DNSName.normalized(name), hosts.addresses(of: key) != nil else {
                throw .noSuchName(isSecure: isSecure)
            }
            return DNSAnswer(values: [], isSecure: false, timeToLive: .zero)
        }
    }

    package func addressesV4(_ name: String) async throws(DNSError) -> DNSAnswer<IPAddress> {
        try await addresses(name, .a) { $0.isV4 }
    }

    package func addressesV6(_ name: String) async throws(DNSError) -> DNSAnswer<IPAddress> {
        try await addresses(name, .aaaa) { !$0.isV4 }
    }

    package func names(of address: IPAddress) async throws(DNSError) -> DNSAnswer<String> {
        if let names = hosts.names(of: address) { return Self.own(names) }
        return try await answer(DNSName.reverse(of: address), .ptr) {
            if case .names(let values) = $0 { values } else { [] }
        }
    }

    package func txt(_ name: String) async throws(DNSError) -> DNSAnswer<[UInt8]> {
        try await answer(name, .txt) { if case .texts(let values) = $0 { values } else { [] } }
    }

    /// TLSA records (RFC 6698); of use only where the answer is secure.
    package func tlsa(_ name: String) async throws(DNSError) -> DNSAnswer<TLSARecord> {
        try await answer(name, .tlsa) { if case .tlsa(let values) = $0 { values } else { [] } }
    }

    private func addresses(
        _ name: String, _ type: RecordType, isWanted: (IPAddress) -> Bool
    ) async throws(DNSError) -> DNSAnswer<IPAddress> {
        if !hosts.isEmpty, let key = DNSName.normalized(name), let all = hosts.addresses(of: key) {
            return Self.own(all.filter(isWanted))
        }
        return try await answer(name, type) { if case .addresses(let values) = $0 { values } else { [] } }
    }

    /// Seconds that an answer of the hosts file may be kept.
    private static func own<Value: Sendable>(_ values: [Value]) -> DNSAnswer<Value> {
        DNSAnswer(values: values, isSecure: false, timeToLive: .seconds(60))
    }

    private func answer<Value: Sendable>(
        _ name: String, _ type: RecordType, _ values: (Records) -> [Value]
    ) async throws(DNSError) -> DNSAnswer<Value> {
        guard let name = DNSName.normalized(name) else { throw .badName }
        let outcome = await outcome(of: LookupKey(name: name, type: type))
        return DNSAnswer(
            values: values(try outcome.result.get()), isSecure: outcome.isSecure,
            timeToLive: outcome.timeToLive)
    }

    private func outcome(of key: LookupKey) async -> LookupOutcome {
        if let outcome = core.cached(key) { return outcome }
        let core = core
        let number = core.waiterNumber()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                core.ask(key, ResolverCore.Waiter(id: number, continuation: continuation))
                // The handler may have run before there was anybody to withdraw.
                if Task.isCancelled { core.withdraw(key, waiter: number) }
            }
        } onCancel: {
            core.withdraw(key, waiter: number)
        }
    }
}
