import MailValues
import SMTPProtocol
import SMTPTransport
import Synchronization

extension RelayNode {
    /// Lets clients in on every socket.
    func openListeners(_ sockets: [(ListenerConfiguration, BoundSocket)]) async throws(NodeError) {
        for (configuration, socket) in sockets {
            let name = configuration.name
            var settings = SMTPListenerSettings(name: name, receivers: intake) { [self] _ in
                session(for: name)
            }
            settings.tls = certificates[name]
            settings.tlsUse = configuration.tls == .implicit ? .implicit : .onDemand
            settings.proxyPeers = configuration.proxyPeers
            do {
                let listener = try await server.serve(socket, settings)
                inForce.withLock { $0.openListeners.append((configuration, listener)) }
                NodeLog.say(
                    "listening: \(name) on \(SocketEndpoint(address: socket.address, port: listener.port))")
            } catch { throw .part("listener \(name)", error) }
        }
    }

    /// Lets nobody in any more; unless it is for good, the ports stay ours.
    func closeListeners(forGood: Bool) async {
        let open = inForce.withLock { inForce in
            defer { inForce.openListeners = [] }
            if forGood { inForce.restingSockets = [] }
            return inForce.openListeners
        }
        for (configuration, listener) in open {
            guard let socket = await listener.close(), !forGood else { continue }
            inForce.withLock { $0.restingSockets.append((configuration, socket)) }
        }
    }

    /// Takes a drain's closing back.
    func reopenListeners() async throws(NodeError) {
        let resting = inForce.withLock { inForce in
            defer { inForce.restingSockets = [] }
            return inForce.restingSockets
        }
        server.resume()
        for (configuration, resting) in resting {
            let socket: BoundSocket
            do { socket = try resting.resume() } catch {
                throw .part("listener \(configuration.name)", error)
            }
            try await openListeners([(configuration, socket)])
        }
    }
}
