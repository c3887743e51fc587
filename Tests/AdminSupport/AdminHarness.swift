package import AdminClient
package import AdminProtocol
package import AdminServer
import Foundation
import Glibc

/// A real admin server on a real socket in a directory of its own, for the length of a test.
package enum AdminHarness {
    package static func serving<Result: Sendable>(
        _ backend: any AdminBackend, cluster: (any ClusterBackend)? = nil,
        _ change: (inout AdminServer.Settings) -> Void = { _ in },
        _ body: @escaping @Sendable (AdminClient) throws -> Result
    ) async throws -> Result {
        try await inDirectory { directory in
            var settings = AdminServer.Settings()
            settings.path = "\(directory)/admin.sock"
            // The tests run as anybody.
            settings.rawReaders = [getuid()]
            change(&settings)
            let client = AdminClient(path: settings.path, timeout: .seconds(60))
            let (running, signal) = AsyncStream<Void>.makeStream()
            let server = AdminServer(settings, backend: backend, cluster: cluster) { signal.finish() }
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    defer { signal.finish() }
                    try await server.run()
                }
                for await _ in running {}
                let result = try await blocking { try body(client) }
                group.cancelAll()
                // A server that is told to stop says so; what it says is no matter here.
                while await group.nextResult() != nil {}
                return result
            }
        }
    }

    /// The client blocks, and the few threads that run tasks must not be blocked; those of Dispatch are the
    /// same ones.
    package static func blocking<Result: Sendable>(
        _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
        }
    }

    package static func inDirectory<Result>(
        isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> Result
    ) async throws -> Result {
        var template = Array("/tmp/chappe-admin-XXXXXX".utf8CString)
        let directory = String(cString: mkdtemp(&template))
        defer {
            for name in ["admin.sock", "accounts", "keys/operator.key", "operator.key"] {
                unlink("\(directory)/\(name)")
            }
            rmdir("\(directory)/keys")
            rmdir(directory)
        }
        return try await body(directory)
    }
}
