import DNSRecords
import DNSResolution
import MailValues
import Testing

/// A resolver that forwards to a name server of its own; both end with the closure.
private func withResolver(
    _ change: (inout ResolverSettings) -> Void = { _ in },
    asking body: (UnboundResolver, LoopbackNameServer) async throws -> Void
) async throws {
    let server = LoopbackNameServer()
    defer { server.stop() }
    var settings = ResolverSettings()
    settings.mode = .forward([ResolverSettings.Server(.v4(0x7F00_0001), port: server.port)])
    settings.trustAnchor = .none
    settings.limits.slowLookups = 64  // fits a shell's limit of 1024 open files
    change(&settings)
    let resolver = try UnboundResolver(settings)
    do {
        try await body(resolver, server)
    } catch {
        await resolver.close()
        throw error
    }
    await resolver.close()
}

private func error<Value>(_ body: () async throws(DNSError) -> Value) async -> DNSError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}

private func fill(_ server: LoopbackNameServer) {
    server.set(
        "site.example", .mx,
        data: [[0, 10] + DNSName.wire("MX1.site.example"), [0, 20] + DNSName.wire("mx2.site.example")])
    server.set("mx1.site.example", .a, data: [[192, 0, 2, 1], [192, 0, 2, 2]])
    server.set(
        "mx1.site.example", .aaaa, data: [[0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]])
    server.set("null.example", .mx, data: [[0, 0, 0]])
    server.set("site.example", .txt, data: [[3, 0x61, 0x62, 0x63, 1, 0x64], [1, 0x65]])
    server.set("1.2.0.192.in-addr.arpa", .ptr, data: [DNSName.wire("mx1.site.example")])
    server.set("xn--bcher-kva.example", .mx, data: [[0, 5] + DNSName.wire("mx1.site.example")])
    server.set("odd.example", .mx, data: [[0, 5, 3, 0x61, 0x20, 0x62, 0]])
    server.set("sick.example", .mx, .failure(2))
    server.set(
        "alias.example", .a,
        .records([
            LoopbackNameServer.Record(name: "alias.example", type: 5, data: DNSName.wire("mx1.site.example")),
            LoopbackNameServer.Record(name: "mx1.site.example", type: 1, data: [192, 0, 2, 1]),
        ]))
}

private func expectEqual<Value: Equatable>(
    _ actual: Value, _ expected: Value, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(actual == expected, sourceLocation: sourceLocation)
}

@Suite("Resolver") struct UnboundResolverTests {
    @Test("records of each type come back read")
    func records() async throws {
        try await withResolver { resolver, server in
            fill(server)
            let mx = try await resolver.mx("Site.Example")
            #expect(
                Set(mx.values) == [
                    MXRecord(preference: 10, exchange: "mx1.site.example"),
                    MXRecord(preference: 20, exchange: "mx2.site.example"),
                ])
            #expect(!mx.isSecure)
            #expect(mx.timeToLive > .seconds(200) && mx.timeToLive <= .seconds(300))
            expectEqual(
                Set(try await resolver.addressesV4("mx1.site.example").values.map(\.description)),
                ["192.0.2.1", "192.0.2.2"])
            expectEqual(
                try await resolver.addressesV6("mx1.site.example").values.map(\.description), ["2001:db8::1"])
            expectEqual(
                try await resolver.addressesV4("alias.example").values.contains(.v4(0xC000_0201)), true)
            expectEqual(try await resolver.mx("null.example").values, [MXRecord(preference: 0, exchange: "")])
            expectEqual(
                Set(try await resolver.txt("site.example").values), [Array("abcd".utf8), Array("e".utf8)])
            expectEqual(try await resolver.names(of: .v4(0xC000_0201)).values, ["mx1.site.example"])
            expectEqual(
                try await resolver.mx("B\u{DC}CHER.example").values.map(\.exchange), ["mx1.site.example"])
        }
    }

    @Test("nothing, no such name, not now and never are four answers")
    func failures() async throws {
        try await withResolver { resolver, server in
            fill(server)
            expectEqual(try await resolver.mx("mx1.site.example").values.isEmpty, true)
            expectEqual(
                await error { () throws(DNSError) in try await resolver.mx("absent.example") },
                .noSuchName(isSecure: false))
            for name in ["sick.example", "odd.example"] {
                guard case .temporary = await error({ () throws(DNSError) in try await resolver.mx(name) })
                else {
                    Issue.record("\(name) did not fail for now")
                    continue
                }
            }
            for name in ["", "a..b", "a b", String(repeating: "a", count: 64)] {
                expectEqual(await error { () throws(DNSError) in try await resolver.mx(name) }, .badName)
            }
        }
    }

    @Test("what has been asked is not asked again, also when it is nothing")
    func cache() async throws {
        try await withResolver { resolver, server in
            fill(server)
            for _ in 0..<3 {
                _ = try await resolver.mx("site.example")
                _ = await error { () throws(DNSError) in try await resolver.mx("absent.example") }
                _ = await error { () throws(DNSError) in try await resolver.mx("sick.example") }
            }
            let statistics = resolver.statistics
            #expect(statistics.lookups == 3)
            #expect(statistics.cacheHits == 6)
            #expect(server.count("absent.example") >= 1)
        }
    }

    @Test("many who ask for one thing at once make one look-up")
    func joining() async throws {
        try await withResolver { resolver, server in
            fill(server)
            await withTaskGroup(of: Int?.self) { group in
                for _ in 0..<100 { group.addTask { try? await resolver.mx("site.example").values.count } }
                for await count in group { #expect(count == 2) }
            }
            #expect(resolver.statistics.lookups == 1)
        }
    }

    @Test("names that never answer keep no other name from its answer")
    func deadZones() async throws {
        func limits(_ settings: inout ResolverSettings) {
            settings.limits.promptLookups = 16
            settings.limits.slowLookups = 8
            settings.limits.patience = .milliseconds(20)
            settings.limits.timeout = .seconds(60)
        }
        try await withResolver(limits) { resolver, server in
            fill(server)
            server.setAll(below: "dead.example", .silence)
            for number in 0..<50 { server.set("living\(number).example", .a, data: [[192, 0, 2, 9]]) }
            _ = try await resolver.mx("site.example")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask { _ = try? await resolver.mx("zone.d\(number).dead.example") }
                }
                await server.asked(8, below: "dead.example")
                // Its parent has answered, so it passes; a stranger would have to wait.
                expectEqual(try await resolver.addressesV4("mx1.site.example").values.count, 2)
                for number in 0..<50 {
                    server.set("host\(number).site.example", .a, data: [[192, 0, 2, 9]])
                    expectEqual(try await resolver.addressesV4("host\(number).site.example").values.count, 1)
                }
                #expect(resolver.statistics.waiting > 0)
                group.cancelAll()
            }
        }
    }

    @Test("a look-up ends in time, and its name is not asked again at once")
    func timeout() async throws {
        func limits(_ settings: inout ResolverSettings) {
            settings.limits.patience = .milliseconds(5)
            settings.limits.timeout = .milliseconds(50)
            settings.limits.failureHold = .seconds(600)
        }
        try await withResolver(limits) { resolver, server in
            server.setAll(below: "dead.example", .silence)
            for _ in 0..<3 {
                guard
                    case .temporary = await error({ () throws(DNSError) in
                        try await resolver.mx("a.dead.example")
                    })
                else {
                    Issue.record("no answer was taken for one")
                    return
                }
            }
            #expect(resolver.statistics.timeouts == 1)
            #expect(resolver.statistics.lookups == 1)
            #expect(resolver.statistics.cacheHits == 2)
        }
    }

    @Test("who is cancelled goes at once")
    func cancellation() async throws {
        try await withResolver { resolver, server in
            server.setAll(below: "dead.example", .silence)
            let task = Task { try await resolver.mx("a.dead.example") }
            await server.asked(1, below: "dead.example")
            task.cancel()
            await #expect(throws: DNSError.self) { try await task.value }
            let early = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                _ = try await resolver.mx("b.dead.example")
            }
            await #expect(throws: DNSError.self) { try await early.value }
        }
    }

    @Test("closing answers everybody who waits")
    func closing() async throws {
        let server = LoopbackNameServer()
        defer { server.stop() }
        server.setAll(below: "dead.example", .silence)
        var settings = ResolverSettings()
        settings.mode = .forward([ResolverSettings.Server(.v4(0x7F00_0001), port: server.port)])
        settings.trustAnchor = .none
        let resolver = try UnboundResolver(settings)
        let tasks = (0..<20).map { number in Task { try await resolver.mx("n\(number).dead.example") } }
        await server.asked(20, below: "dead.example")
        await resolver.close()
        for task in tasks { await #expect(throws: DNSError.self) { try await task.value } }
        await #expect(throws: DNSError.temporary(detail: "the resolver is closed")) {
            try await resolver.mx("site.example")
        }
        await resolver.close()
    }

    @Test("hosts of the file are answered without DNS, in both directions")
    func hosts() async throws {
        let text =
            "127.0.0.1 localhost\n10.1.2.3\tInside.example inside # ours\n::5 inside.example\nnonsense\n"
        try await withResolver {
            $0.hosts = HostsFile(parsing: Array(text.utf8))
        } asking: { resolver, server in
            expectEqual(
                try await resolver.addressesV4("INSIDE.example").values.map(\.description), ["10.1.2.3"])
            expectEqual(try await resolver.addressesV6("inside.example").values.map(\.description), ["::5"])
            expectEqual(try await resolver.addressesV6("inside").values.isEmpty, true)
            expectEqual(
                try await resolver.names(of: IPAddress("10.1.2.3")!).values, ["inside.example", "inside"])
            #expect(server.count("inside.example") == 0)
            expectEqual(try await resolver.mx("inside.example").values.isEmpty, true)
        }
    }

    @Test("a stub zone is asked of its own servers, whatever the world says of it")
    func stubZone() async throws {
        let stub = LoopbackNameServer()
        defer { stub.stop() }
        stub.set("host.corp.test", .a, data: [[10, 0, 0, 7]])
        func settings(_ settings: inout ResolverSettings) {
            settings.stubZones = [
                ResolverSettings.StubZone(
                    name: "corp.test", servers: [.init(.v4(0x7F00_0001), port: stub.port)])
            ]
        }
        try await withResolver(settings) { resolver, server in
            server.set("host.other.test", .a, data: [[192, 0, 2, 7]])
            expectEqual(
                try await resolver.addressesV4("host.corp.test").values.map(\.description), ["10.0.0.7"])
            expectEqual(
                try await resolver.addressesV4("host.other.test").values.map(\.description), ["192.0.2.7"])
            #expect(server.count("host.corp.test") == 0)
        }
    }
}

@Suite("Validation") struct ValidationTests {
    @Test("what DNSSEC proves is secure")
    func secure() async throws {
        try await withResolver {
            $0.trustAnchor = .records([SignedZone.trustAnchor])
        } asking: { resolver, server in
            SignedZone.fill(server)
            fill(server)
            #expect(resolver.warnings.isEmpty)
            expectEqual(try await resolver.mx("signed.example").isSecure, true)
            expectEqual(try await resolver.addressesV4("mx.signed.example").isSecure, true)
            let tlsa = try await resolver.tlsa("_25._tcp.mx.signed.example")
            #expect(tlsa.isSecure)
            #expect(
                tlsa.values == [
                    TLSARecord(usage: 3, selector: 1, matchingType: 1, association: Array(0..<32))
                ])
            expectEqual(try await resolver.mx("site.example").isSecure, false)
        }
    }

    @Test("what DNSSEC disproves is bogus, and stays apart from what fails for now")
    func bogus() async throws {
        try await withResolver {
            $0.trustAnchor = .records([SignedZone.trustAnchor])
        } asking: { resolver, server in
            SignedZone.fill(server, isTampered: true)
            expectEqual(try await resolver.mx("signed.example").isSecure, true)
            for _ in 0..<2 {
                guard
                    case .bogus = await error({ () throws(DNSError) in
                        try await resolver.addressesV4("mx.signed.example")
                    })
                else {
                    Issue.record("a forged address was believed")
                    return
                }
            }
            // The zone is signed, so an unsigned "no" is none.
            guard
                case .bogus = await error({ () throws(DNSError) in
                    try await resolver.mx("none.signed.example")
                })
            else {
                Issue.record("an unsigned denial was believed")
                return
            }
            #expect(resolver.statistics.bogus == 2)
        }
    }

    @Test("without its trust anchor the resolver says so, and works")
    func missingAnchor() async throws {
        try await withResolver {
            $0.trustAnchor = .file("/nonexistent/root.key")
        } asking: { resolver, server in
            SignedZone.fill(server, isTampered: true)
            #expect(resolver.warnings.count == 1)
            #expect(resolver.warnings.first?.contains("/nonexistent/root.key") == true)
            expectEqual(try await resolver.addressesV4("mx.signed.example").isSecure, false)
        }
    }

    @Test(
        "look-ups take at most half of the files that a process may open",
        arguments: [(1 << 20, 512), (4096, 512), (2048, 512), (1024, 256), (256, 36), (16, 16)]
    )
    func fitting(_ descriptors: Int, _ slow: Int) {
        let limits = ResolverLimits().fitting(descriptors: descriptors)
        #expect(limits.slowLookups == slow)
        #expect(limits.socketCount <= descriptors / 2 || descriptors < 256)
    }

    @Test("settings that cannot work are told at start")
    func badSettings() {
        var settings = ResolverSettings()
        settings.trustAnchor = .none
        settings.mode = .forward([])
        #expect(throws: ResolverOpenError.self) { try UnboundResolver(settings) }
        settings.mode = .recursive
        settings.stubZones = [ResolverSettings.StubZone(name: "a..b", servers: [])]
        #expect(throws: ResolverOpenError.self) { try UnboundResolver(settings) }
        settings.stubZones = []
        settings.trustAnchor = .records(["this is no record"])
        #expect(throws: ResolverOpenError.self) { try UnboundResolver(settings) }
    }
}
