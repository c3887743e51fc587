internal import MailValues

/// What one origin said in one incarnation, as far as somebody knows it.
///
/// The invariant that all rests on: of every key whose latest statement has a counter up to `mark`, that
/// statement is held here, unless it lies below a floor or its time is over. Statements above the mark may be
/// held too, from pushes; they count, but they promise nothing about what lies between.
package struct OriginLog: Sendable {
    package let incarnation: UInt64
    /// Up to here nothing is missing.
    package private(set) var mark: UInt64 = 0
    /// The newest batch that the origin is known to have signed.
    package private(set) var head: SignedBatch?

    struct Held: Sendable {
        var record: FactRecord
        /// When it was said, by our clock: as late as its bearers' word for its age allows.
        var said: Int64
        /// Its stamp as far as we believe it.
        var stamp: Timestamp
        /// How long it holds here, in milliseconds: as it says, or what its kind allows at most.
        var lifetime: Int64?

        var expires: Int64 { lifetime.map { said &+ $0 } ?? .max }

        /// As it is shown to those who make something of it; it travels as it was signed.
        var shown: FactRecord {
            var shown = record
            shown.stamp = stamp
            return shown
        }
    }

    /// A statement's place: dead once the slot holds another counter.
    struct Place: Sendable {
        var counter: UInt64
        var slot: Int
    }

    private struct Usage: Sendable {
        var keys = 0
        var octets = 0
    }

    private var slots: [Held?] = []
    private var free: [Int] = []
    private var slotOfKey: [FactKey: Int] = [:]
    /// Up to the mark, by counter, dead places among them until half are dead.
    private(set) var covered: [Place] = []
    /// Above the mark, by counter.
    private var ahead: [Place] = []
    private var expiries = ExpiryQueue()
    private var usages: [FactKind: Usage] = [:]
    private var unknownKinds: Set<FactKind> = []
    private var floors: [FactKind: UInt64] = [:]

    init(incarnation: UInt64) { self.incarnation = incarnation }

    /// Statements held, deletions among them.
    package var count: Int { slotOfKey.count }

    func held(at place: Place) -> Held? {
        guard let held = slots[place.slot], held.record.counter == place.counter else { return nil }
        return held
    }

    func held(_ key: FactKey) -> Held? { slotOfKey[key].flatMap { slots[$0] } }

    /// What the origin has said of its floors, whether the mark has passed it or not.
    var floorsHeld: [Held] {
        floors.sorted { $0.key < $1.key }.compactMap { held(Floor(kind: $0.key, counter: $0.value).key) }
    }

    var all: some Sequence<Held> { slotOfKey.values.lazy.compactMap { slots[$0] } }

    /// Keys and octets of a kind.
    func usage(of kind: FactKind) -> (keys: Int, octets: Int) {
        let usage = usages[kind] ?? Usage()
        return (usage.keys, usage.octets)
    }

    // MARK: Taking in

    enum Outcome: Sendable {
        /// New to us, and what the origin says now.
        case taken
        /// Nothing to learn: known, superseded, below a floor, or its time is over.
        case known
        /// More than the kind allows to one origin.
        case overBound
    }

    mutating func learn(head batch: SignedBatch) {
        if batch.last > (head?.last ?? 0) { head = batch }
    }

    /// Holds a statement that is verified; the mark stays where it is.
    mutating func hold(
        _ record: FactRecord, said: Int64, stamp: Timestamp, lifetimeLongest: Int64? = nil, now: Int64,
        bounds: FactBounds, isKnown: Bool = true, origin: NodeID, into changes: inout [FactChange]
    ) -> Outcome {
        guard record.counter > mark, record.counter > floors[record.key.kind] ?? 0 else { return .known }
        let old = slotOfKey[record.key]
        if let old, let held = slots[old], held.record.counter >= record.counter { return .known }
        let lifetime = min(record.lifetime ?? .max, lifetimeLongest ?? .max)
        let held = Held(
            record: record, said: said, stamp: stamp, lifetime: lifetime == .max ? nil : lifetime)
        if held.expires <= now {
            if let old { remove(slot: old, origin: origin, into: &changes) }
            return .known
        }
        var usage = usages[record.key.kind] ?? Usage()
        if !isKnown, !unknownKinds.contains(record.key.kind) {
            guard unknownKinds.count < FactBounds.unknownKindsOfOrigin else { return .overBound }
            unknownKinds.insert(record.key.kind)
        }
        if let old, let before = slots[old] {
            usage.octets += record.sizeOctets - before.record.sizeOctets
        } else {
            usage.keys += 1
            usage.octets += record.sizeOctets
        }
        guard usage.keys <= bounds.borne(bounds.keys), usage.octets <= bounds.borne(bounds.octets) else {
            return .overBound
        }
        usages[record.key.kind] = usage
        let slot = old ?? newSlot()
        let saidValueBefore = old.flatMap { slots[$0]?.record.value } != nil
        slots[slot] = held
        slotOfKey[record.key] = slot
        insertAhead(Place(counter: record.counter, slot: slot))
        if held.expires != .max {
            expiries.insert(.init(moment: held.expires, place: Place(counter: record.counter, slot: slot)))
        }
        if let floor = Floor(record) {
            apply(floor, origin: origin, into: &changes)
        } else if record.value != nil {
            changes.append(.said(origin, held.shown, age: now - said))
        } else if saidValueBefore {
            changes.append(.withdrawn(origin, record.key))
        }
        tidy()
        return .taken
    }

    /// Nothing up to `counter` is missing any more.
    mutating func raiseMark(to counter: UInt64) {
        guard counter > mark else { return }
        mark = counter
        let passed = ahead.firstIndex { $0.counter > counter } ?? ahead.count
        covered.append(contentsOf: ahead[..<passed])
        ahead.removeSubrange(..<passed)
    }

    // MARK: Letting go

    /// Drops what is over.
    mutating func expire(now: Int64, origin: NodeID, into changes: inout [FactChange]) {
        while let next = expiries.next, next.moment <= now {
            expiries.removeNext()
            if let held = held(at: next.place), held.expires <= now {
                remove(slot: next.place.slot, origin: origin, into: &changes)
            }
        }
        tidy()
    }

    private mutating func apply(_ floor: Floor, origin: NodeID, into changes: inout [FactChange]) {
        let last = floors[floor.kind] ?? 0
        guard floor.counter > last else { return }
        floors[floor.kind] = floor.counter
        // Up to the last floor nothing of the kind is left, so a liar's thousand floors cost no more than one.
        guard usages[floor.kind]?.keys ?? 0 > 0 else { return }
        for places in [covered, ahead] {
            for place in places[Self.index(after: last, in: places)...] {
                guard place.counter <= floor.counter else { break }
                guard let held = held(at: place), held.record.key.kind == floor.kind else { continue }
                remove(slot: place.slot, origin: origin, into: &changes)
            }
        }
    }

    private mutating func remove(slot: Int, origin: NodeID, into changes: inout [FactChange]) {
        guard let held = slots[slot] else { return }
        slots[slot] = nil
        free.append(slot)
        slotOfKey[held.record.key] = nil
        usages[held.record.key.kind]?.keys -= 1
        usages[held.record.key.kind]?.octets -= held.record.sizeOctets
        if held.record.value != nil, held.record.key.kind != .floor {
            changes.append(.withdrawn(origin, held.record.key))
        }
    }

    private mutating func newSlot() -> Int {
        if let slot = free.popLast() { return slot }
        slots.append(nil)
        return slots.count - 1
    }

    private mutating func insertAhead(_ place: Place) {
        if ahead.last.map({ $0.counter < place.counter }) ?? true {
            ahead.append(place)
        } else {
            ahead.insert(place, at: Self.index(after: place.counter, in: ahead))
        }
    }

    /// Dead places cost memory only; they go when they are the greater half.
    private mutating func tidy() {
        let enough = 2 * slotOfKey.count + 64
        if covered.count + ahead.count > enough {
            covered = covered.filter { held(at: $0) != nil }
            ahead = ahead.filter { held(at: $0) != nil }
        }
        if expiries.count > enough {
            var kept = expiries
            kept.keep { held(at: $0.place) != nil }
            expiries = kept
        }
    }

    /// The first place whose counter is above `counter`.
    static func index(after counter: UInt64, in places: [Place]) -> Int {
        var low = 0
        var high = places.count
        while low < high {
            let middle = (low + high) / 2
            if places[middle].counter <= counter { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: The origin's own side

    /// Says that its own statement is signed now.
    mutating func seal(_ counter: UInt64, in slot: Int, with seal: Seal) {
        guard slots[slot]?.record.counter == counter else { return }
        slots[slot]?.record.seal = seal
    }

    /// What is said above the mark and still holds, oldest first.
    var unsealed: [Place] { ahead.filter { held(at: $0) != nil } }

    /// The counter up to which a kind has to be trimmed so that no more than `share` of its bounds is left, or
    /// nil while it is within them.
    func trimming(of kind: FactKind, to bounds: FactBounds, leaving share: Double) -> UInt64? {
        guard let usage = usages[kind], usage.keys > bounds.keys || usage.octets > bounds.octets else {
            return nil
        }
        var keys = usage.keys - Int(Double(bounds.keys) * share)
        var octets = usage.octets - Int(Double(bounds.octets) * share)
        var floor: UInt64?
        for place in [covered, ahead].joined() where keys > 0 || octets > 0 {
            guard let held = held(at: place), held.record.key.kind == kind else { continue }
            keys -= 1
            octets -= held.record.sizeOctets
            floor = place.counter
        }
        return floor
    }
}
