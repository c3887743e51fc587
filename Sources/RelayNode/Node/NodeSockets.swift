import SMTPTransport

/// All listening sockets, bound.
package struct NodeSockets: Sendable {
    let all: [(ListenerConfiguration, BoundSocket)]

    init(_ configuration: Configuration) throws(NodeError) {
        var all: [(ListenerConfiguration, BoundSocket)] = []
        for listener in configuration.listeners {
            for endpoint in listener.endpoints {
                do {
                    all.append((listener, try BoundSocket(address: endpoint.address, port: endpoint.port)))
                } catch {
                    throw NodeError(
                        "listener \(listener.name): \(error.cause); is another mail server running, or is this port below 1024 "
                            + "and neither root nor CAP_NET_BIND_SERVICE at hand?")
                }
            }
        }
        self.all = all
    }
}

extension ListenError {
    fileprivate var cause: String {
        switch self {
        case .cannotBind(let address, let detail): "cannot bind \(address): \(detail)"
        }
    }
}
