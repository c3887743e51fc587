internal import CZeroMQ
package import MailValues
import Threads

/// The other side of the door: who wants to join asks a member, and hears its answer.
package enum DoorCall {
    /// Asks once. `key` is the member's, from the token: nobody else can read what is said, or answer.
    ///
    /// It takes a thread of its own for as long as it waits; that is once in the life of a node.
    package static func ask(
        _ address: IPAddress, port: UInt16, key: LinkKey, as pair: LinkKeyPair, _ octets: [UInt8],
        timeout: Duration
    ) async throws(DoorCallError) -> [UInt8] {
        let result: Result<[UInt8], DoorCallError> = await withCheckedContinuation { continuation in
            let thread = WorkerThread(name: "door") {
                let result = Result { () throws(DoorCallError) in
                    try wait(address, port: port, key: key, as: pair, octets, timeout: timeout)
                }
                continuation.resume(returning: result)
            }
            thread.letGo()
        }
        return try result.get()
    }

    private static func wait(
        _ address: IPAddress, port: UInt16, key: LinkKey, as pair: LinkKeyPair, _ octets: [UInt8],
        timeout: Duration
    ) throws(DoorCallError) -> [UInt8] {
        let endpoint = OutgoingLinks.endpoint(address, port)
        do {
            let context = try ZeroMQContext()
            let socket = try ZeroMQSocket(.dealer, in: context)
            ChannelSockets.tune(socket, LinkTiming(), frameLongest: answerOctets)
            socket.set(ZMQ_IPV6, address.isV4 ? 0 : 1)
            socket.set(ZMQ_CURVE_SERVERKEY, octets: key.octets)
            socket.set(ZMQ_CURVE_PUBLICKEY, octets: pair.key.octets)
            socket.set(ZMQ_CURVE_SECRETKEY, octets: pair.secret)
            try socket.connect(endpoint)
            _ = socket.sendLast([octets])
            return try answer(from: socket, until: TransportClock.now() + timeout, endpoint)
        } catch let error as DoorCallError {
            throw error
        } catch let error as TransportError {
            throw .failed(error)
        } catch {
            preconditionFailure("both kinds of error stand above")
        }
    }

    /// An answer holds at most the members with their keys and addresses.
    private static let answerOctets = 1 << 20

    private static func answer(
        from socket: borrowing ZeroMQSocket, until deadline: Uptime, _ endpoint: String
    ) throws(DoorCallError) -> [UInt8] {
        let message = ZeroMQMessage()
        var pollSet = ZeroMQPollSet()
        pollSet.add(socket)
        while true {
            if let parts = socket.receiveParts(message, limit: 1), let answer = parts.first { return answer }
            let left = deadline - TransportClock.now()
            guard left > .zero else { throw .noAnswer(endpoint: endpoint) }
            pollSet.wait(for: left)
        }
    }
}

package enum DoorCallError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Nobody there, another key there, or a door that is shut: from outside they look the same.
    case noAnswer(endpoint: String)
    case failed(TransportError)

    package var description: String {
        switch self {
        case .noAnswer(let endpoint):
            "no answer from \(endpoint): the address is wrong, out of reach, or its token is not good any more"
        case .failed(let error): "\(error)"
        }
    }
}
