import MailValues

/// Where an entry's record stands in the scheduler. It belongs to that entry until the entry is finished.
package typealias Slot = UInt32

/// Stands for "no slot" in links.
let noSlot = Slot.max

/// One message for one destination, as small as it can be: a million of them wait in memory.
///
/// Moments are whole seconds since 1970: no retry needs more, and four octets hold them until 2106.
struct EntryRecord: Sendable {
    enum Place: UInt8 {
        /// In the heap, until `due`. `linkA` is its position there.
        case waiting
        /// In its domain's list. `linkA` is the one before, `linkB` the one behind.
        case ready
        /// With a connection.
        case inFlight
        /// Nothing happens before an operator, or a verdict, says so.
        case held
        /// Unused; `linkA` is the next unused one.
        case free
    }

    var idHigh: UInt64 = 0
    var idLow: UInt64 = 0
    var domain: UInt32 = 0
    var due: UInt32 = 0
    var deadline: UInt32 = 0
    /// When the sender is to hear of delay; 0: never, or he has.
    var noticeAt: UInt32 = 0
    var sizeOctets: UInt32 = 0
    var linkA: UInt32 = noSlot
    var linkB: UInt32 = noSlot
    /// The entries of one message form a ring.
    var sibling: Slot = noSlot
    var failures: UInt16 = 0
    var priority: Int8 = 0
    var place: Place = .free
    /// It is in flight, and is to be held once that is over.
    var holdsWhenBack = false
    /// It waits untried because its site takes nothing, and not for a moment of its own.
    var restsWithSite = false

    var id: QueueID { QueueID(high: idHigh, low: idLow) }
}

/// All entry records, in pages: growth copies nothing, so that a full queue never needs twice its memory.
struct EntryTable: Sendable {
    private static let pageBits = 12
    private static let pageSize = 1 << pageBits

    private var pages: [ContiguousArray<EntryRecord>] = []
    private var firstFree: Slot = noSlot
    private(set) var count = 0

    /// One past the highest slot ever used.
    var slotEnd: Int { pages.count * Self.pageSize }

    subscript(slot: Slot) -> EntryRecord {
        _read { yield pages[Int(slot) >> Self.pageBits][Int(slot) & (Self.pageSize - 1)] }
        _modify { yield &pages[Int(slot) >> Self.pageBits][Int(slot) & (Self.pageSize - 1)] }
    }

    mutating func insert(_ record: EntryRecord) -> Slot {
        if firstFree == noSlot { addPage() }
        let slot = firstFree
        firstFree = self[slot].linkA
        self[slot] = record
        count += 1
        return slot
    }

    mutating func remove(_ slot: Slot) {
        precondition(self[slot].place != .free, "an entry is removed once")
        var empty = EntryRecord()
        empty.linkA = firstFree
        self[slot] = empty
        firstFree = slot
        count -= 1
    }

    private mutating func addPage() {
        let start = slotEnd
        precondition(start + Self.pageSize < Int(noSlot), "four thousand million entries are more than fit")
        var page = ContiguousArray<EntryRecord>()
        page.reserveCapacity(Self.pageSize)
        for offset in 0..<Self.pageSize {
            var empty = EntryRecord()
            empty.linkA = offset + 1 < Self.pageSize ? Slot(start + offset + 1) : firstFree
            page.append(empty)
        }
        firstFree = Slot(start)
        pages.append(page)
    }
}
