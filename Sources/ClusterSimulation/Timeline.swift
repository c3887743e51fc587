import HeapModule

/// What is to happen, in order of time; of two at one moment, what was planned first.
struct Timeline {
    struct Entry: Comparable {
        /// Microseconds.
        let time: Int64
        let order: UInt64
        let event: WorldEvent

        static func < (left: Entry, right: Entry) -> Bool {
            left.time == right.time ? left.order < right.order : left.time < right.time
        }

        static func == (left: Entry, right: Entry) -> Bool { left.order == right.order }
    }

    private var heap = Heap<Entry>()
    private var order: UInt64 = 0

    var isEmpty: Bool { heap.isEmpty }

    mutating func plan(_ event: WorldEvent, at time: Int64) {
        order += 1
        heap.insert(Entry(time: time, order: order, event: event))
    }

    mutating func next() -> Entry? { heap.popMin() }
}

/// What can happen to the world of a simulation. Frames lie in a table, so that entries stay small.
enum WorldEvent {
    case wake(process: Int)
    case arrive(frame: Int, from: Int, to: Int, connection: UInt32)
    case connected(from: Int, to: Int, connection: UInt32)
    case lost(from: Int, to: Int, connection: UInt32)
    case refused(from: Int, to: Int, connection: UInt32)
    case retry(from: Int, to: Int, connection: UInt32)
    case thaw(process: Int)
    case stall(process: Int)
    case step(Int)
    case say
    case takeBack(fact: Int)
    case look
}
