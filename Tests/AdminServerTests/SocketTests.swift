import AdminClient
import AdminProtocol
import AdminServer
import AdminSupport
import Dispatch
import Foundation
import Glibc
import Testing

private func mode(of path: String) -> UInt32? {
    var entry = stat()
    return lstat(path, &entry) == 0 ? entry.st_mode & 0o777 : nil
}

@Suite("The socket's file")
struct SocketTests {
    @Test("lets in owner and group, and goes when the server stops")
    func life() async throws {
        let (path, during) = try await AdminHarness.serving(FakeBackend()) { ($0.path, mode(of: $0.path)) }
        #expect(during == 0o660)
        #expect(mode(of: path) == nil)
    }

    @Test("that a dead process left is taken away")
    func stale() async throws {
        try await AdminHarness.inDirectory { directory in
            let path = "\(directory)/admin.sock"
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
            let bound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            close(descriptor)
            #expect(bound == 0 && mode(of: path) != nil)
            let version: VersionAnswer = try await AdminHarness.serving(FakeBackend(), { $0.path = path }) {
                try $0.get("version")
            }
            #expect(version.hostname == "mx.example.org")
        }
    }

    @Test("of a node that runs is left alone")
    func taken() async throws {
        try await AdminHarness.inDirectory { directory in
            let path = "\(directory)/admin.sock"
            let first = AdminServer.Settings(path: path)
            let (running, signal) = AsyncStream<Void>.makeStream()
            let server = AdminServer(first, backend: FakeBackend()) { signal.finish() }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { try? await server.run() }
                for await _ in running {}
                await #expect(throws: AdminServer.Failure.alreadyServed(path: path)) {
                    try await AdminServer(first, backend: FakeBackend()).run()
                }
                #expect(mode(of: path) == 0o660)
                group.cancelAll()
            }
        }
    }

    @Test("is never made of a file that is none")
    func noSocket() async throws {
        try await AdminHarness.inDirectory { directory in
            let path = "\(directory)/accounts"
            close(open(path, O_CREAT | O_WRONLY, 0o600))
            await #expect(throws: AdminServer.Failure.notASocket(path: path)) {
                try await AdminServer(.init(path: path), backend: FakeBackend()).run()
            }
            #expect(mode(of: path) == 0o600)
        }
    }

    /// Ended the whole process when a client came in the moment of the stop.
    @Test("goes in peace while clients still come in")
    func stopsAmongClients() async throws {
        for _ in 0..<10 {
            let (begun, ended) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            let clients = 4
            let path = try await AdminHarness.serving(FakeBackend()) { client in
                for _ in 0..<clients {
                    Thread.detachNewThread {
                        while (try? client.octets("version")) != nil { begun.signal() }
                        ended.signal()
                    }
                }
                for _ in 0..<clients { begun.wait() }
                return client.path
            }
            try await AdminHarness.blocking { for _ in 0..<clients { ended.wait() } }
            #expect(mode(of: path) == nil)
        }
    }

    @Test("wants a group that there is")
    func group() async throws {
        try await AdminHarness.inDirectory { directory in
            var settings = AdminServer.Settings(path: "\(directory)/admin.sock")
            settings.group = "no-such-group-here"
            await #expect(throws: AdminServer.Failure.noSuchGroup("no-such-group-here")) {
                try await AdminServer(settings, backend: FakeBackend()).run()
            }
        }
    }

    @Test("that cannot be made is told by its path and the reason")
    func noPlace() async throws {
        let path = "/nowhere/admin.sock"
        await #expect(
            throws: AdminServer.Failure.cannotListen(path: path, reason: "No such file or directory")
        ) {
            try await AdminServer(.init(path: path), backend: FakeBackend()).run()
        }
        let long = "/tmp/" + String(repeating: "x", count: 200)
        await #expect(
            throws: AdminServer.Failure.cannotListen(
                path: long, reason: "the path is too long for a socket")
        ) {
            try await AdminServer(.init(path: long), backend: FakeBackend()).run()
        }
    }

    @Test("where nobody listens is unreachable, with the reason")
    func unreachable() {
        #expect(
            throws: AdminClient.Failure.unreachable(
                path: "/nowhere/admin.sock", reason: "No such file or directory")
        ) {
            try AdminClient(path: "/nowhere/admin.sock").octets("status")
        }
    }
}
