import MailValues

extension TransportLoop {
    func openDoor(port: UInt16, for span: Duration) throws(TransportError) -> UInt16 {
        guard span > .zero else { throw .badSetting(name: "door", detail: "its time is over already") }
        // The newest: the one before may be gone while somebody still holds a line that names it.
        guard let pair = pairs.last else {
            preconditionFailure("a transport listens under one key at least")
        }
        doorCount += 1
        door = nil
        let door = try Door(
            settings.bindAddress, port: port, settings: settings, pair: pair, number: doorCount,
            closesAt: now() + span, now: now(), in: context)
        self.door = door
        return door.port
    }

    func tickDoor(now: Uptime) {
        guard let door else { return }
        door.bindAgain()
        let failures = door.failures(message)
        if failures.all > 0 {
            statistics.count {
                $0.handshakesFailed += failures.all
                $0.doorStrangers += failures.strangers
            }
        }
        if door.closesAt <= now {
            self.door = nil
            tell(.doorClosed)
        }
    }

    func decideAtDoor(_ request: Authentication.Request) -> Authentication.Answer {
        guard let door, door.guardian.mayEnter(now: now()) else {
            statistics.count { $0.doorRefusals += 1 }
            return .later
        }
        return .accept(userID: request.key.hex)
    }

    /// Visitors who may wait for an answer at a time.
    private static let visitorLimit = 64

    func receiveAtDoor() {
        while let door, let parts = door.socket.receiveParts(message, limit: 3) {
            let userID = message.withUserID { String(cString: $0) }
            guard parts.count == 2, let key = userID.flatMap(LinkKey.init(hex:)),
                !door.visitors.contains(parts[0]), door.visitors.count < Self.visitorLimit,
                door.guardian.maySpeak(now: now())
            else {
                statistics.count { $0.doorRefusals += 1 }
                continue
            }
            door.visitors.insert(parts[0])
            statistics.count { $0.doorRequests += 1 }
            tell(
                .joinRequest(
                    JoinRequest(
                        key: key, octets: parts[1], visitor: DoorVisitor(route: parts[0], door: door.number)))
            )
        }
    }

    func answer(_ visitor: DoorVisitor, _ octets: [UInt8]) {
        guard let door, door.number == visitor.door, door.visitors.remove(visitor.route) != nil else {
            return
        }
        _ = door.socket.send(to: visitor.route, octets)
    }
}
