import AdminServer
import AdminSupport
import Glibc
import Testing

/// One request over TCP, as an orchestrator makes it.
private func ask(_ port: Int, _ path: String, method: String = "GET") -> String {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = UInt16(port).bigEndian
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &name) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard connected == 0 else { return "not connected" }
    let request = Array("\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8)
    send(descriptor, request, request.count, 0)
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 {
        received += buffer[..<count]
    }
    return String(decoding: received, as: UTF8.self)
}

@Suite("The metrics listener")
struct MetricsServerTests {
    private func asking(
        _ backend: FakeBackend, _ body: @escaping @Sendable (Int) -> [String]
    ) async throws -> [String] {
        let (ports, signal) = AsyncStream<Int>.makeStream()
        let server = MetricsServer(.init(host: "127.0.0.1", port: 0), source: backend) { port in
            signal.yield(port)
            signal.finish()
        }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { signal.finish() }
                try await server.run()
            }
            var answers: [String] = []
            for await port in ports { answers = try await AdminHarness.blocking { body(port) } }
            group.cancelAll()
            while await group.nextResult() != nil {}
            return answers
        }
    }

    @Test("shows the page, and says whether the node lives and wants mail")
    func serves() async throws {
        let backend = FakeBackend()
        let answers = try await asking(backend) { port in
            var answers = ["/metrics", "/healthz/live", "/healthz/ready"].map { ask(port, $0) }
            backend.with { $0.unreadiness = "draining" }
            answers.append(ask(port, "/healthz/ready"))
            return answers
        }
        #expect(
            answers.map { $0.prefix(12) } == ["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 503"])
        #expect(answers[0].contains("text/plain; version=0.0.4") && answers[0].hasSuffix("chappe_fake 1\n"))
        #expect(answers[3].hasSuffix("draining\n"))
    }

    @Test("says which address it cannot have, and why")
    func takenPort() async throws {
        let holder = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(holder) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isHeld = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(holder, $0, size) == 0 && listen(holder, 1) == 0 && getsockname(holder, $0, &size) == 0
            }
        }
        try #require(isHeld)
        let port = Int(UInt16(bigEndian: name.sin_port))
        let failure = MetricsServer.Failure.cannotListen(
            address: "127.0.0.1:\(port)", reason: "Address already in use")
        await #expect(throws: failure) {
            try await MetricsServer(.init(host: "127.0.0.1", port: port), source: FakeBackend()).run()
        }
        #expect(
            "\(failure)"
                == "cannot listen at 127.0.0.1:\(port): Address already in use; free it, or set `admin.metrics`"
        )
    }

    @Test(
        "serves nothing else",
        arguments: ["/", "/v1/status", "/v1/queue", "/healthz", "/metrics/../v1/status"])
    func nothingElse(_ path: String) async throws {
        let answers = try await asking(FakeBackend()) {
            [ask($0, path), ask($0, "/v1/queue/delete", method: "POST")]
        }
        #expect(answers.count == 2)
        #expect(answers.allSatisfy { $0.hasPrefix("HTTP/1.1 404") })
    }
}
