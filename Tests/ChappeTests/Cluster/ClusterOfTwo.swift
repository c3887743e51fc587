import AdminProtocol
import AdminSupport
import Cryptography
import Glibc
import MailValues
import Membership
import RelayNode

@testable import chappe

/// Two members, an operator and his key in a file, for the length of a test.
struct ClusterOfTwo: Sendable {
    static let key = Ed25519PrivateKey(seed: [UInt8](repeating: 7, count: 32))!
    static let first = Ed25519PrivateKey(seed: [UInt8](repeating: 1, count: 32))!.node
    static let second = Ed25519PrivateKey(seed: [UInt8](repeating: 2, count: 32))!.node
    static let id = ClusterID("00112233445566778899aabbccddeeff")!

    let cluster: FakeCluster
    let keyFile: String

    static func with<Result>(
        isolation: isolated (any Actor)? = #isolation, _ body: (ClusterOfTwo) async throws -> Result
    ) async throws -> Result {
        try await AdminHarness.inDirectory { directory in
            let path = "\(directory)/operator.key"
            try KeyStore(path: path, purpose: .operator).create(key)
            let cluster = FakeCluster(
                cluster: "\(id)", operatorKey: key.node.hex, node: first.hex, others: [second.hex])
            return try await body(ClusterOfTwo(cluster: cluster, keyFile: path))
        }
    }

    /// With the operator's key.
    func run(
        _ arguments: [String], answer: String? = nil, wait: @escaping CommandRun.Wait = { _ in nil }
    ) async throws -> CommandRun {
        try await CommandRun.of(
            arguments + ["--operator-key", keyFile], cluster: cluster, answer: answer, wait: wait)
    }

    /// The orders that reached the node; each must be the operator's.
    var orders: [Order] {
        get throws {
            try cluster.with(\.orders).map { text in
                let order = Base64.decode(Array(text.utf8)).flatMap { OrderFact(octets: $0)?.order }
                guard let order, order.isSigned(by: Self.key.publicKey, in: Self.id) else {
                    throw Complaint("no order of the operator's: \(text)")
                }
                return order
            }
        }
    }
}
