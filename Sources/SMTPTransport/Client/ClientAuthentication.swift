import Cryptography
import NIOCore
import NIOPosix
import SMTPProtocol

/// Our side of one SCRAM exchange, computed on a thread of its own: the peer says how many iterations there
/// are.
///
/// Lives on the event loop of its channel.
final class ClientAuthentication {
    private let name: String
    private let password: String
    private var client: ScramClient?

    init(_ credentials: DialTarget.Credentials) {
        name = PreparedName(credentials.user)?.text ?? credentials.user
        password = OpaqueString(credentials.password)?.text ?? credentials.password
    }

    /// The message that answers `challenge`; nil where the server's is none, or does not prove that it knows
    /// the password.
    func answer(_ challenge: [UInt8]?, on loop: any EventLoop) -> EventLoopFuture<[UInt8]?> {
        guard let challenge else {
            var random = SecureRandom()
            let begun = ScramClient(
                name: name, password: password, binding: .unsupported,
                entropy: random.octets(count: ScramClient.nonceOctets))
            client = begun
            return loop.makeSucceededFuture(begun.firstMessage)
        }
        guard let begun = client else { return loop.makeSucceededFuture(nil) }
        return NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
            var client = begun
            let answer = try? client.respond(to: challenge)
            return (client, answer)
        }.assumeIsolated().map { (client, answer) in
            self.client = client
            return answer
        }.nonisolated()
    }
}
