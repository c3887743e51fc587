import CUnbound
import DNSRecords
import MailValues

/// One context of libunbound, deleted when its owner is done.
///
/// libunbound(3), "Thread safety": all calls on one context may come from any thread, the work itself is done
/// by a thread of the library. Callbacks run inside `process()`, on the thread that calls it; after
/// `delete()` none come.
final class UnboundContext: @unchecked Sendable {
    /// Becomes readable when answers wait for `process()`.
    let fileDescriptor: CInt
    private let raw: OpaquePointer

    init(_ settings: ResolverSettings) throws(ResolverOpenError) {
        guard let raw = ub_ctx_create() else {
            throw .libraryFailed(detail: "no context: out of memory or no random numbers")
        }
        self.raw = raw
        fileDescriptor = ub_fd(raw)
        do {
            try configure(settings)
        } catch {
            ub_ctx_delete(raw)
            throw error
        }
    }

    /// Ends the library's thread. Nothing may be called afterwards.
    func delete() { ub_ctx_delete(raw) }

    /// Begins a look-up. `context` comes back in the callback, exactly once unless the context is deleted
    /// before.
    ///
    /// Nil on success, else the library's word for what went wrong; then no callback comes.
    func resolve(_ key: LookupKey, context: UnsafeMutableRawPointer, callback: ub_callback_type) -> String? {
        let code = ub_resolve_async(raw, key.name + ".", CInt(key.type.rawValue), 1, context, callback, nil)
        return code == 0 ? nil : Self.text(code)
    }

    /// Runs the callbacks of all answers that have come.
    func process() -> String? {
        let code = ub_process(raw)
        return code == 0 ? nil : Self.text(code)
    }

    static func text(_ code: CInt) -> String {
        ub_strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }

    // MARK: Configuration

    private func configure(_ settings: ResolverSettings) throws(ResolverOpenError) {
        ub_ctx_debugout(raw, nil)
        let limits = settings.limits
        try set("verbosity:", "0")
        // In a library context these are 16 and 2: a handful of dead servers would hold up everybody.
        try set("outgoing-range:", "\(limits.socketCount)")
        try set("num-queries-per-thread:", "\(limits.socketCount)")
        try set("outgoing-num-tcp:", "64")
        // In a library context these have one mebibyte each.
        try set("msg-cache-size:", "8m")
        try set("rrset-cache-size:", "16m")
        try set("key-cache-size:", "4m")
        try set("infra-cache-numhosts:", "50000")
        try set("do-ip6:", settings.usesIPv6 ? "yes" : "no")
        try configureServers(settings)
        try configurePatience(settings.mode)
        try configureTrust(settings)
        try check(ub_ctx_async(raw, 1), "threads")
        try finish(settings)
    }

    private func configureServers(_ settings: ResolverSettings) throws(ResolverOpenError) {
        if case .forward(let servers) = settings.mode {
            guard !servers.isEmpty else { throw .badSetting(name: "forward", detail: "no server") }
            for server in servers { try check(ub_ctx_set_fwd(raw, server.description), "forward \(server)") }
            // The forwarder knows our private networks, if anybody does.
            try set("unblock-lan-zones:", "yes")
            try set("insecure-lan-zones:", "yes")
        } else if !settings.stubZones.contains(where: {
            $0.servers.contains { $0.address.specialPurpose == .loopback }
        }) {
            // A stranger's delegation shall not make us talk to ourselves.
            try set("do-not-query-localhost:", "yes")
        }
        for zone in settings.stubZones {
            guard let name = DNSName.normalized(zone.name), !zone.servers.isEmpty else {
                throw .badSetting(name: "stub zone \(zone.name)", detail: "no name or no server")
            }
            for server in zone.servers {
                try check(ub_ctx_set_stub(raw, name + ".", server.description, 0), "stub zone \(zone.name)")
            }
            if !zone.isSigned { try set("domain-insecure:", name + ".") }
        }
    }

    /// How the library judges servers, by their time to answer.
    private func configurePatience(_ mode: ResolverSettings.Mode) throws(ResolverOpenError) {
        switch mode {
        case .recursive:
            // A server that takes longer than three seconds counts as dead; with the default of two minutes
            // each dead one would occupy us for as long. It is judged anew each minute, and probed meanwhile,
            // so that an outage of our own network ends when it ends: the default is a quarter of an hour.
            try set("infra-cache-max-rtt:", "3000")
            try set("infra-host-ttl:", "60")
            try set("infra-keep-probing:", "yes")
        case .forward:
            // A forwarder is slow for the sake of others: names that do not answer must not make it look dead
            // itself, and with it every name (seen with 1.17: thousands of silent names, then SERVFAIL for
            // everybody). So it is judged anew each second, and given a second where a server is given a
            // third.
            try set("infra-host-ttl:", "1")
            try set("unknown-server-time-limit:", "1000")
        }
    }

    private func configureTrust(_ settings: ResolverSettings) throws(ResolverOpenError) {
        switch settings.trustAnchor {
        case .none:
            // Without an anchor the validator would only cost time.
            try set("module-config:", "iterator")
        case .file(let path):
            try check(ub_ctx_add_ta_file(raw, path), "trust anchor \(path)")
        case .records(let records):
            for record in records { try check(ub_ctx_add_ta(raw, record), "trust anchor") }
        }
    }

    /// Asks a first question, which makes the library look at its configuration: a bad one shows here and not
    /// in the night.
    private func finish(_ settings: ResolverSettings) throws(ResolverOpenError) {
        var result: UnsafeMutablePointer<ub_result>?
        try check(ub_resolve(raw, "localhost.", 1, 1, &result), "start")
        ub_resolve_free(result)
        // RFC 6761 §6.2 keeps "test." for labs: whoever names servers for it means it.
        var own = settings.stubZones.compactMap { DNSName.normalized($0.name) }
        if case .forward = settings.mode { own.append("test") }
        for zone in own { try check(ub_ctx_zone_remove(raw, zone + "."), "zone \(zone)") }
    }

    private func set(_ name: String, _ value: String) throws(ResolverOpenError) {
        try check(ub_ctx_set_option(raw, name, value), name)
    }

    private func check(_ code: CInt, _ name: String) throws(ResolverOpenError) {
        guard code != 0 else { return }
        throw .badSetting(name: name, detail: Self.text(code))
    }
}

/// Why there is no resolver.
package enum ResolverOpenError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The operator's: a server, a zone or an anchor that cannot be used.
    case badSetting(name: String, detail: String)
    /// Ours or the machine's.
    case libraryFailed(detail: String)

    package var description: String {
        switch self {
        case .badSetting(let name, let detail): "dns: \(name): \(detail)"
        case .libraryFailed(let detail): "dns: \(detail)"
        }
    }
}

extension LookupOutcome {
    /// Reads a result; it stays the library's.
    init(_ key: LookupKey, _ result: ub_result) {
        self.init(result: Self.result(key, result))
        isSecure = result.secure != 0
        timeToLive = .seconds(max(0, Int(result.ttl)))
    }

    private static func result(_ key: LookupKey, _ result: ub_result) -> Result<Records, DNSError> {
        if result.bogus != 0 {
            let why = result.why_bogus.map { String(cString: $0).printable(limit: 200) }
            return .failure(.bogus(detail: why ?? "validation failed"))
        }
        if result.nxdomain != 0 { return .failure(.noSuchName(isSecure: result.secure != 0)) }
        guard result.rcode == 0 else {
            return .failure(.temporary(detail: "DNS answered with code \(result.rcode) for \(key.name)"))
        }
        let data = octets(of: result)
        let records = Records(key.type, data: data)
        // "Nothing that we can read" is not "nothing": an implicit MX in its place would send mail to the
        // wrong host.
        guard !records.isEmpty || data.isEmpty else {
            return .failure(.temporary(detail: "no legible record for \(key.name)"))
        }
        return .success(records)
    }

    /// Records of one answer that are read; no honest set of mail hosts or keys comes near.
    private static let recordLimit = 256

    private static func octets(of result: ub_result) -> [[UInt8]] {
        guard result.havedata != 0, let items = result.data, let lengths = result.len else { return [] }
        var data: [[UInt8]] = []
        var index = 0
        while index < recordLimit, let item = items[index] {
            data.append(Array(UnsafeRawBufferPointer(start: item, count: Int(lengths[index]))))
            index += 1
        }
        return data
    }
}
