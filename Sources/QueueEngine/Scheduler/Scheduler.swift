package import MailValues

/// What is due, in memory: every entry of the queue, by when it may be tried next and by destination domain.
///
/// It knows neither sites nor hosts: those are looked up when an entry is due, so that a start needs no DNS.
/// An entry is in one place at a time: waiting for its moment, ready in its domain's list, in flight, or
/// held. A message id is taken once, so that a start may read the store while new mail arrives.
package struct Scheduler: Sendable {
    private var table = EntryTable()
    private var index = MessageIndex()
    private var heap = WaitingHeap()
    private var domains = DomainTable()
    /// Messages that went while the store was being read: its snapshot may still hold them.
    private var goneWhileRebuilding: Set<QueueID>?

    package private(set) var readyCount = 0
    package private(set) var heldCount = 0
    package private(set) var inFlightCount = 0
    /// Of all entries: a message for several domains counts for each.
    package private(set) var octets = 0

    package init() {}

    package var entryCount: Int { table.count }
    package var messageCount: Int { index.count }
    package var waitingCount: Int { heap.count }
    package var domainCount: Int { domains.records.count }
    package var idleDomainCount: Int { domains.idleCount }

    /// When the next waiting entry is due.
    package var nextDue: Timestamp? { heap.earliest.map { Timestamp(seconds: Int64($0.due)) } }

    /// What a message brings with it to each of its entries.
    package struct Terms: Sendable, Equatable {
        package var deadline: Timestamp
        /// When the sender is to hear of delay; nil: never, or he has.
        package var noticeAt: Timestamp?
        package var sizeOctets: Int
        package var priority: Int8
        package var isHeld: Bool

        package init(
            deadline: Timestamp, noticeAt: Timestamp? = nil, sizeOctets: Int, priority: Int8 = 0,
            isHeld: Bool = false
        ) {
            self.deadline = deadline
            self.noticeAt = noticeAt
            self.sizeOctets = sizeOctets
            self.priority = priority
            self.isHeld = isHeld
        }
    }

    /// Whether the message has entries, or had some and went during a rebuild: then it is not to be added
    /// again.
    package func knows(_ id: QueueID) -> Bool {
        index.slot(of: id, in: table) != nil || goneWhileRebuilding?.contains(id) == true
    }

    /// Adds the entry of one message for one domain; the caller has asked `knows` before the first of them.
    ///
    /// - Returns: its slot and domain, and whether it is ready now.
    @discardableResult
    package mutating func add(
        _ id: QueueID, terms: Terms, domain: Domain, due: Timestamp?, failures: Int = 0, now: Timestamp
    ) -> (slot: Slot, domain: DomainIndex, isReady: Bool) {
        let number = domains.intern(domain)
        var record = EntryRecord()
        record.idHigh = id.high
        record.idLow = id.low
        record.domain = number
        record.due = (due ?? now).wholeSecondsUp
        record.deadline = terms.deadline.wholeSecondsUp
        record.noticeAt = terms.noticeAt?.wholeSecondsUp ?? 0
        record.sizeOctets = UInt32(clamping: terms.sizeOctets)
        record.priority = terms.priority
        record.failures = UInt16(clamping: failures)
        record.place = .inFlight
        octets += Int(record.sizeOctets)
        let slot = table.insert(record)
        if let sibling = index.slot(of: id, in: table) {
            table[slot].sibling = table[sibling].sibling
            table[sibling].sibling = slot
        } else {
            table[slot].sibling = slot
            index.insert(slot, in: table)
        }
        domains.entryAdded(number)
        var isReady = false
        if terms.isHeld {
            place(slot, held: ())
        } else if let due, due > now {
            place(slot, waitingUntil: due.wholeSecondsUp)
        } else {
            appendReady(slot)
            isReady = true
        }
        return (slot, DomainIndex(rawValue: number), isReady)
    }

    /// Moves at most `limit` entries whose moment has come to their domains' lists, and tells of each domain.
    ///
    /// - Returns: whether there may be more.
    package mutating func advance(to now: Timestamp, limit: Int, _ becameReady: (DomainIndex) -> Void) -> Bool
    {
        let second = now.wholeSecondsDown
        for _ in 0..<limit {
            guard let earliest = heap.earliest, earliest.due <= second else { return false }
            heap.remove(earliest.slot, in: &table)
            appendReady(earliest.slot)
            becameReady(DomainIndex(rawValue: table[earliest.slot].domain))
        }
        return heap.earliest.map { $0.due <= second } ?? false
    }

    /// The next entry for a domain; it is in flight from here on.
    package mutating func take(from domain: DomainIndex) -> Slot? {
        let record = domains[domain.rawValue]
        let slot =
            record.urgent.first != noSlot
            ? record.urgent.first
            : record.ordinary.first != noSlot ? record.ordinary.first : record.patient.first
        guard slot != noSlot else { return nil }
        take(slot)
        return slot
    }

    package func readyCount(of domain: DomainIndex) -> Int { Int(domains[domain.rawValue].readyCount) }

    /// What came of an attempt: not yet. The entry waits until then, or is held if that was asked meanwhile.
    ///
    /// - Parameter restsWithSite: there was no attempt, because its site is known to take nothing.
    package mutating func putOff(
        _ slot: Slot, until due: Timestamp, failures: Int, restsWithSite: Bool = false
    ) {
        leaveFlight(slot)
        table[slot].failures = UInt16(clamping: failures)
        table[slot].restsWithSite = restsWithSite
        if table[slot].holdsWhenBack {
            place(slot, held: ())
        } else {
            place(slot, waitingUntil: due.wholeSecondsUp)
        }
    }

    /// The attempt did not take place; the entry is the next of its domain again, or held if that was asked
    /// meanwhile.
    package mutating func putBack(_ slot: Slot) {
        leaveFlight(slot)
        if table[slot].holdsWhenBack { place(slot, held: ()) } else { prependReady(slot) }
    }

    /// The entry is done: delivered, returned or deleted. It must be in flight.
    ///
    /// - Returns: whether it was the last of its message.
    @discardableResult
    package mutating func finish(_ slot: Slot) -> Bool {
        leaveFlight(slot)
        return remove(slot)
    }

    /// The sender has been told of delay: no entry of this message tells him again.
    package mutating func noticeGiven(_ slot: Slot) {
        for entry in ring(of: slot) { table[entry].noticeAt = 0 }
    }

    // MARK: Looking

    package func view(_ slot: Slot) -> EntryView {
        EntryView(table[slot], domain: domains[table[slot].domain].domain)
    }
    package func id(_ slot: Slot) -> QueueID { table[slot].id }
    package func domainIndex(_ slot: Slot) -> DomainIndex { DomainIndex(rawValue: table[slot].domain) }
    package func domain(_ index: DomainIndex) -> Domain { domains[index.rawValue].domain }
    package func index(of domain: Domain) -> DomainIndex? { domains.number(of: domain).map(DomainIndex.init) }
    package func failures(_ slot: Slot) -> Int { Int(table[slot].failures) }
    package func deadline(_ slot: Slot) -> Timestamp { Timestamp(seconds: Int64(table[slot].deadline)) }
    package func isOnly(_ slot: Slot) -> Bool { table[slot].sibling == slot }

    /// Whether the entry's time is up, or its sender is to hear of delay.
    package func isOverdue(_ slot: Slot, now: Timestamp) -> Bool {
        let record = table[slot]
        let second = now.wholeSecondsDown
        return second >= record.deadline || (record.noticeAt != 0 && second >= record.noticeAt)
    }

    /// All entries of a message.
    package func slots(of id: QueueID) -> [Slot] { index.slot(of: id, in: table).map(ring) ?? [] }

    /// Every entry, in no order; false from `body` stops.
    package func forEach(_ body: (Slot, EntryView) -> Bool) {
        for slot in 0..<Slot(table.slotEnd) where table[slot].place != .free {
            guard body(slot, view(slot)) else { return }
        }
    }

    /// One past the highest slot in use: the end of what `oldest` can be asked for.
    package var slotEnd: Int { table.slotEnd }

    /// When the oldest message of a portion of the slots was accepted.
    package func oldest(in slots: Range<Int>) -> Timestamp? {
        var oldest: Timestamp?
        for slot in slots where table[Slot(slot)].place != .free {
            let accepted = table[Slot(slot)].id.time
            oldest = oldest.map { min($0, accepted) } ?? accepted
        }
        return oldest
    }

    // MARK: An operator's hand

    /// Holds all entries of a message; those in flight when they come back.
    package mutating func hold(_ id: QueueID) {
        for slot in slots(of: id) {
            switch table[slot].place {
            case .inFlight: table[slot].holdsWhenBack = true
            case .waiting, .ready:
                leave(slot)
                place(slot, held: ())
            case .held, .free: break
            }
        }
    }

    /// Lets held entries go on: ready now, whatever their moment was.
    package mutating func release(_ id: QueueID, _ becameReady: (DomainIndex) -> Void) {
        for slot in slots(of: id) {
            table[slot].holdsWhenBack = false
            guard table[slot].place == .held else { continue }
            leave(slot)
            appendReady(slot)
            becameReady(domainIndex(slot))
        }
    }

    /// Makes waiting entries ready now; held ones stay held.
    package mutating func retry(_ id: QueueID, _ becameReady: (DomainIndex) -> Void) {
        for slot in slots(of: id) where table[slot].place == .waiting {
            leave(slot)
            appendReady(slot)
            becameReady(domainIndex(slot))
        }
    }

    /// Makes ready what waits, among a portion of the slots, because of where it was to go: tried in vain, or
    /// at rest with its site. What is not to go before a moment of its own stays.
    package mutating func hasten(
        _ slots: Range<Int>, of meant: Set<DomainIndex>, _ becameReady: (DomainIndex) -> Void
    ) {
        for slot in slots {
            let slot = Slot(slot)
            let record = table[slot]
            guard record.place == .waiting, record.failures > 0 || record.restsWithSite else { continue }
            let domain = DomainIndex(rawValue: record.domain)
            guard meant.contains(domain) else { continue }
            leave(slot)
            appendReady(slot)
            becameReady(domain)
        }
    }

    /// Takes all entries of a message out of the queue's hands, as if each were in flight; nil, and nothing
    /// done, if one is.
    package mutating func seize(_ id: QueueID) -> [Slot]? {
        let slots = slots(of: id)
        guard !slots.isEmpty, slots.allSatisfy({ table[$0].place != .inFlight }) else { return nil }
        for slot in slots {
            leave(slot)
            enterFlight(slot)
        }
        return slots
    }

    // MARK: Rebuilding

    package var isRebuilding: Bool { goneWhileRebuilding != nil }
    package mutating func beginRebuild() { goneWhileRebuilding = [] }
    package mutating func endRebuild() { goneWhileRebuilding = nil }

    /// Forgets idle domains that nobody needs; their numbers may come to stand for other domains.
    package mutating func forgetIdleDomains(_ mayForget: (DomainIndex) -> Bool) {
        domains.forgetIdle(mayForget)
    }

    // MARK: Places

    private func ring(of slot: Slot) -> [Slot] {
        var all = [slot]
        var next = table[slot].sibling
        while next != slot {
            all.append(next)
            next = table[next].sibling
        }
        return all
    }

    private mutating func remove(_ slot: Slot) -> Bool {
        let next = table[slot].sibling
        let isLast = next == slot
        octets -= Int(table[slot].sizeOctets)
        if isLast {
            goneWhileRebuilding?.insert(table[slot].id)
            index.remove(slot, in: table)
        } else {
            var before = next
            while table[before].sibling != slot { before = table[before].sibling }
            table[before].sibling = next
            if index.slot(of: table[slot].id, in: table) == slot { index.replace(slot, by: next, in: table) }
        }
        domains.entryRemoved(table[slot].domain)
        table.remove(slot)
        return isLast
    }

    /// Out of the heap, the list or the hold.
    private mutating func leave(_ slot: Slot) {
        switch table[slot].place {
        case .waiting: heap.remove(slot, in: &table)
        case .ready: unlinkReady(slot)
        case .held:
            heldCount -= 1
            domains[table[slot].domain].heldCount -= 1
        case .inFlight, .free: preconditionFailure("only an entry that rests can be moved")
        }
    }

    private mutating func take(_ slot: Slot) {
        unlinkReady(slot)
        enterFlight(slot)
    }

    private mutating func enterFlight(_ slot: Slot) {
        table[slot].place = .inFlight
        inFlightCount += 1
        domains[table[slot].domain].inFlightCount += 1
    }

    private mutating func leaveFlight(_ slot: Slot) {
        precondition(table[slot].place == .inFlight, "only an entry in flight has an outcome")
        inFlightCount -= 1
        domains[table[slot].domain].inFlightCount -= 1
    }

    private mutating func place(_ slot: Slot, held: Void) {
        table[slot].place = .held
        table[slot].holdsWhenBack = false
        heldCount += 1
        domains[table[slot].domain].heldCount += 1
    }

    private mutating func place(_ slot: Slot, waitingUntil due: UInt32) {
        table[slot].place = .waiting
        table[slot].due = due
        heap.insert(slot, due: due, in: &table)
    }

    private mutating func countReady(_ slot: Slot, by change: Int) {
        readyCount += change
        let domain = table[slot].domain
        domains[domain].readyCount = UInt32(Int(domains[domain].readyCount) + change)
    }

    private mutating func appendReady(_ slot: Slot) {
        table[slot].place = .ready
        countReady(slot, by: 1)
        let (domain, priority) = (table[slot].domain, table[slot].priority)
        var list = domains[domain][priority]
        table[slot].linkA = list.last
        table[slot].linkB = noSlot
        if list.last == noSlot { list.first = slot } else { table[list.last].linkB = slot }
        list.last = slot
        domains[domain][priority] = list
    }

    private mutating func prependReady(_ slot: Slot) {
        table[slot].place = .ready
        countReady(slot, by: 1)
        let (domain, priority) = (table[slot].domain, table[slot].priority)
        var list = domains[domain][priority]
        table[slot].linkA = noSlot
        table[slot].linkB = list.first
        if list.first == noSlot { list.last = slot } else { table[list.first].linkA = slot }
        list.first = slot
        domains[domain][priority] = list
    }

    private mutating func unlinkReady(_ slot: Slot) {
        countReady(slot, by: -1)
        let record = table[slot]
        var list = domains[record.domain][record.priority]
        if record.linkA == noSlot {
            list.first = record.linkB
        } else {
            table[record.linkA].linkB = record.linkB
        }
        if record.linkB == noSlot {
            list.last = record.linkA
        } else {
            table[record.linkB].linkA = record.linkA
        }
        domains[record.domain][record.priority] = list
    }
}
