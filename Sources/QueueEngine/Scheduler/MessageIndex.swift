import MailValues

/// From a message's id to one of its entries: open addressing over slots, four octets a place.
///
/// The ids are our own and half chance, so nobody outside can make them collide.
struct MessageIndex: Sendable {
    private var places: ContiguousArray<Slot> = ContiguousArray(repeating: noSlot, count: 64)
    private(set) var count = 0

    func slot(of id: QueueID, in table: EntryTable) -> Slot? {
        var place = home(of: id)
        while places[place] != noSlot {
            let slot = places[place]
            if table[slot].idLow == id.low && table[slot].idHigh == id.high { return slot }
            place = next(place)
        }
        return nil
    }

    /// The id is not yet in.
    mutating func insert(_ slot: Slot, in table: EntryTable) {
        if (count + 1) * 4 > places.count * 3 { grow(table) }
        put(slot, in: table)
        count += 1
    }

    /// Another entry of the same message stands for it from now on.
    mutating func replace(_ old: Slot, by new: Slot, in table: EntryTable) {
        places[place(of: old, in: table)] = new
    }

    /// Those behind move up into the gap, so that no search ends early at it.
    mutating func remove(_ slot: Slot, in table: EntryTable) {
        var gap = place(of: slot, in: table)
        places[gap] = noSlot
        count -= 1
        var place = next(gap)
        while places[place] != noSlot {
            let wanted = home(of: table[places[place]].id)
            let distanceFromHome = (place &- wanted) & (places.count - 1)
            let distanceFromGap = (place &- gap) & (places.count - 1)
            if distanceFromHome >= distanceFromGap {
                places[gap] = places[place]
                places[place] = noSlot
                gap = place
            }
            place = next(place)
        }
    }

    private func place(of slot: Slot, in table: EntryTable) -> Int {
        var place = home(of: table[slot].id)
        while places[place] != slot {
            precondition(places[place] != noSlot, "a message that is looked for by its entry is in the index")
            place = next(place)
        }
        return place
    }

    private mutating func put(_ slot: Slot, in table: EntryTable) {
        var place = home(of: table[slot].id)
        while places[place] != noSlot { place = next(place) }
        places[place] = slot
    }

    private mutating func grow(_ table: EntryTable) {
        let old = places
        places = ContiguousArray(repeating: noSlot, count: old.count * 2)
        for slot in old where slot != noSlot { put(slot, in: table) }
    }

    private func home(of id: QueueID) -> Int {
        let mixed = (id.low ^ (id.high &* 0x9E37_79B9_7F4A_7C15)) &* 0xD6E8_FEB8_6659_FD93
        return Int(truncatingIfNeeded: mixed >> 32) & (places.count - 1)
    }

    private func next(_ place: Int) -> Int { (place + 1) & (places.count - 1) }
}
