import MailValues

extension TransportLoop {
    func obey(_ command: Mailbox.Command) {
        switch command {
        case .setPeers(let peers):
            for sockets in [control, bulk] { perform(sockets.links.replace(peers, now: now()), sockets) }
        case .admit(let key, let node, let done):
            done(admissions.admit(key, for: node))
        case .withdraw(let key):
            if admissions.withdraw(key) { rebind() }
        case .evict(let node):
            gauges = gauges.filter { $0.key.node != node }
            if admissions.evict(node) { rebind() }
        case .rotate(let pair, let ports, let done):
            done(Result { () throws(TransportError) in try rotate(to: pair, ports) })
        case .retire(let done):
            retire()
            done()
        case .openDoor(let port, let span, let done):
            done(Result { () throws(TransportError) in try openDoor(port: port, for: span) })
        case .closeDoor:
            door = nil
        case .answer(let visitor, let octets):
            answer(visitor, octets)
        }
    }

    /// † Keys are asked for at the handshake alone, so what stands must fall for one to be gone. The others
    /// are back within a moment.
    private func rebind() {
        statistics.count { $0.rebinds += 1 }
        control.rebind(now: now())
        bulk.rebind(now: now())
    }

    /// Listens under a further key on ports of its own; what stands goes on.
    private func rotate(to pair: LinkKeyPair, _ ports: BoundPorts) throws(TransportError) -> BoundPorts {
        guard pairs.count == 1, pairs[0] != pair else {
            throw .badSetting(name: "link key", detail: "the last change is not at its end")
        }
        do {
            let bound = try listen(ports, as: pair)
            pairs.append(pair)
            return bound
        } catch {
            control.retire(allBut: pairs[0])
            bulk.retire(allBut: pairs[0])
            throw error
        }
    }

    /// The newest key is the only one: shown wherever we connect, and alone listened under.
    private func retire() {
        guard pairs.count > 1, let newest = pairs.last else { return }
        pairs = [newest]
        for sockets in [control, bulk] {
            sockets.retire(allBut: newest)
            perform(sockets.links.renewAll(now: now()), sockets)
        }
    }
}
