import MailValues

extension Leaver {
    /// Everything that can be done now.
    mutating func goOn(now: Uptime, _ actions: inout [Action]) {
        if epochState == .old, phase != .staying || heirs.values.contains(where: { !$0.marks.isEmpty }) {
            epoch += 1
            epochState = .writing
            // Sessions of the former epoch are over.
            for heir in heirs.keys {
                heirs[heir]?.breakOff()
                heirs[heir]?.round = 0
            }
            actions.append(.writeEpoch(epoch))
        }
        for heir in heirs.keys where heirs[heir]?.resting.isEmpty == false { heirs[heir]?.wake(now: now) }
        keepSessions(now: now, &actions)
        switch phase {
        case .staying: settle(&actions)
        case .giving:
            offer(now: now, &actions)
            moveFree(now: now, &actions)
            mark(now: now, &actions)
            if isEverythingTaken {
                phase = .confirming
                keepSessions(now: now, &actions)
            }
        case .confirming:
            if !isEverythingTaken {
                phase = .giving
            } else if heirs.values.allSatisfy({ $0.marks.isEmpty || $0.isConfirmed }) {
                phase = .bequeathing
                bequest = Bequest()
            }
        case .bequeathing: bequeath(now: now, &actions)
        case .stoppingIntake, .signing, .left: break
        }
    }

    private var isEverythingTaken: Bool {
        isQueueRead && queue.isEmpty && marking.isEmpty && unmarking.isEmpty && unsure.isEmpty
            && heirs.values.allSatisfy(\.isSettled)
    }

    // MARK: Offers

    /// Offers what bears an heir's mark, as far as its window goes.
    private mutating func offer(now: Uptime, _ actions: inout [Action]) {
        for heir in heirs.keys.sorted() {
            guard case .open(var open) = heirs[heir]?.link, takes(heir, open, now: now) else { continue }
            while let id = heirs[heir]?.nextReady(
                windowMessages: limits.windowMessages, windowOctets: limits.windowOctets),
                let mark = heirs[heir]?.marks[id]
            {
                if heirs[heir]?.outstanding.isEmpty == true { open.heard = now }
                heirs[heir]?.set(id, .offered(count: open.nextCount))
                actions.append(
                    .send(
                        .offer(
                            LeavingFrame.Offer(
                                session: open.session, nonce: open.nonce, count: open.nextCount, id: id,
                                epoch: mark.epoch)), to: heir))
                open.nextCount += 1
            }
            heirs[heir]?.link = .open(open)
        }
    }

    private func takes(_ heir: NodeID, _ open: HeirTerms.Link.Open, now: Uptime) -> Bool {
        guard let terms = heirs[heir], isTaker(terms.standing), terms.isTaking else { return false }
        return open.restsUntil.map { $0 <= now } ?? true
    }

    /// The heirs that have room, least laden first.
    private func room(now: Uptime) -> [(heir: NodeID, messages: Int, octets: Int)] {
        heirs.compactMap { heir, terms in
            guard case .open(let open) = terms.link, takes(heir, open, now: now) else { return nil }
            let messages = limits.windowMessages - terms.load
            let octets = terms.load == 0 ? .max : limits.windowOctets - terms.loadOctets
            return messages > 0 && octets > 0 ? (heir, messages, octets) : nil
        }
        .sorted { $0.messages == $1.messages ? $0.heir < $1.heir : $0.messages > $1.messages }
    }

    // MARK: Marks

    /// Marks what is due soonest for the heir with most room. Few writes of many marks: each is a sync.
    private mutating func mark(now: Uptime, _ actions: inout [Action]) {
        while queue.readyCount > 0, let room = roomToMark(now: now),
            room.messages >= min(limits.markBatch / 2, queue.readyCount) || marksUnderWay == 0
        {
            let batch = queue.take(min(limits.markBatch, room.messages), octets: room.octets)
            for message in batch {
                marking[message.id] = message.octets
                heirs[room.heir]?.markingOctets += message.octets
            }
            heirs[room.heir]?.markingCount += batch.count
            held.merge(batch.map { ($0.id, $0) }) { $1 }
            marksUnderWay += 1
            actions.append(
                .mark(batch.map(\.id), Envelope.Handover(room.heir, epoch: epoch), isAgain: false))
        }
    }

    /// What bears the mark of an heir that takes nothing now, and was surely not taken by it, gets the mark of another.
    private mutating func moveFree(now: Uptime, _ actions: inout [Action]) {
        while !unsure.isEmpty, let room = roomToMark(now: now) {
            let ids = Array(unsure.prefix(min(limits.markBatch, room.messages)))
            unsure.subtract(ids)
            move(ids, to: room.heir, &actions)
        }
        for heir in heirs.keys.sorted() where heirs[heir]?.hasFree == true {
            let isStuck = isStuck(heir, now: now)
            while let room = roomToMark(now: now, but: heir) {
                let limit = min(limits.markBatch, room.messages)
                let ids = (isStuck ? heirs[heir]?.someFree(limit) : heirs[heir]?.someDisplaced(limit)) ?? []
                guard !ids.isEmpty else { break }
                for id in ids { heirs[heir]?.set(id, .moving) }
                move(ids, to: room.heir, &actions)
            }
            if !room(now: now).contains(where: { $0.heir != heir }) { heirs[heir]?.stay() }
        }
    }

    private func isStuck(_ heir: NodeID, now: Uptime) -> Bool {
        guard case .open(let open) = heirs[heir]?.link else { return true }
        return !takes(heir, open, now: now)
    }

    private func roomToMark(
        now: Uptime, but heir: NodeID? = nil
    ) -> (heir: NodeID, messages: Int, octets: Int)? {
        guard marksUnderWay < limits.marksUnderWay, epochState == .written else { return nil }
        return room(now: now).first { $0.heir != heir }
    }

    private mutating func move(_ ids: [QueueID], to heir: NodeID, _ actions: inout [Action]) {
        for id in ids {
            let octets = former(id).flatMap { heirs[$0]?.marks[id]?.octets } ?? 0
            marking[id] = octets
            heirs[heir]?.markingOctets += octets
        }
        heirs[heir]?.markingCount += ids.count
        marksUnderWay += 1
        actions.append(.mark(ids, Envelope.Handover(heir, epoch: epoch), isAgain: true))
    }

    mutating func marked(
        _ heir: NodeID, _ ids: [QueueID], busy: [QueueID], gone: [QueueID], now: Uptime
    ) {
        marksUnderWay -= 1
        for id in ids {
            guard let message = endMarking(id, for: heir) else { continue }
            heirs[heir]?.add(message, epoch: epoch, standing: .free)
        }
        for id in busy {
            guard let message = endMarking(id, for: heir) else { continue }
            if phase != .staying { queue.rest(message, until: now + limits.restWhenBusy) }
        }
        for id in gone { _ = endMarking(id, for: heir) }
    }

    /// On the disk is the new mark, or the old one, or none.
    ///
    /// † Offered to an heir is only what surely bears its mark on the disk. A message that had none is this node's still:
    /// a mark for an heir that was never offered it is no harm. One that bore another's mark rests until a mark is sure.
    mutating func markFailed(_ heir: NodeID, _ ids: [QueueID], now: Uptime) {
        marksUnderWay -= 1
        for id in ids {
            guard let octets = marking.removeValue(forKey: id) else { continue }
            heirs[heir]?.markingCount -= 1
            heirs[heir]?.markingOctets -= octets
            if let message = held.removeValue(forKey: id) {
                if phase != .staying { queue.rest(message, until: now + limits.restWhenBusy) }
            } else {
                unsure.insert(id)
            }
        }
    }

    /// The heir whose mark is being replaced, or ended.
    private func former(_ id: QueueID) -> NodeID? {
        heirs.first { $0.value.marks[id]?.standing == .moving }?.key
    }

    private mutating func endMarking(_ id: QueueID, for heir: NodeID) -> Message? {
        guard let octets = marking.removeValue(forKey: id) else { return nil }
        heirs[heir]?.markingCount -= 1
        heirs[heir]?.markingOctets -= octets
        if let message = held.removeValue(forKey: id) { return message }
        return former(id).flatMap { heirs[$0]?.remove(id) }
    }

    // MARK: Staying after all

    /// What was not taken is ours again; what was taken is somebody else's.
    private mutating func settle(_ actions: inout [Action]) {
        if !unsure.isEmpty {
            unmarking.formUnion(unsure)
            actions.append(.unmark(unsure.sorted()))
            unsure = []
        }
        for heir in heirs.keys.sorted() {
            if heirs[heir]?.hasFree == true, let free = heirs[heir]?.someFree(limits.markBatch) {
                for id in free { heirs[heir]?.set(id, .moving) }
                unmarking.formUnion(free)
                actions.append(.unmark(free))
            }
            if heirs[heir]?.takenCount != 0, let taken = heirs[heir]?.someTaken(limits.markBatch) {
                for id in taken { heirs[heir]?.set(id, .ending) }
                unmarking.formUnion(taken)
                actions.append(.remove(taken))
            }
        }
    }

    mutating func unmarked(_ ids: [QueueID]) {
        for id in ids where unmarking.remove(id) != nil {
            for heir in heirs.keys where heirs[heir]?.marks[id] != nil {
                let wasFreed = heirs[heir]?.marks[id]?.standing == .moving
                // Called to leave again meanwhile: the portions of the queue may have been read before.
                if let message = heirs[heir]?.remove(id), wasFreed, phase == .giving { queue.add(message) }
            }
        }
    }

    /// Whether the mark is on the disk is not known: it is neither this node's nor to be offered, until that is.
    mutating func unmarkFailed(_ ids: [QueueID]) {
        for id in ids where unmarking.contains(id) {
            let isTaken = heirs.values.contains { $0.marks[id]?.standing == .ending }
            if isTaken { unremoved.append(id) } else { unended.append(id) }
        }
    }

    /// Offers the store again what it refused.
    mutating func retryEnds(_ actions: inout [Action]) {
        if !unended.isEmpty { actions.append(.unmark(unended)) }
        if !unremoved.isEmpty { actions.append(.remove(unremoved)) }
        unended = []
        unremoved = []
    }
}
