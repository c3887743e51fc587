/// Statements by the moment when their time is over, the next one first: a binary heap.
struct ExpiryQueue: Sendable {
    struct Expiry: Sendable {
        var moment: Int64
        var place: OriginLog.Place
    }

    private var heap: [Expiry] = []

    var count: Int { heap.count }
    var next: Expiry? { heap.first }

    mutating func insert(_ expiry: Expiry) {
        heap.append(expiry)
        var child = heap.count - 1
        while child > 0, heap[child].moment < heap[(child - 1) / 2].moment {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeNext() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while 2 * parent + 1 < heap.count {
            var child = 2 * parent + 1
            if child + 1 < heap.count, heap[child + 1].moment < heap[child].moment { child += 1 }
            guard heap[child].moment < heap[parent].moment else { return }
            heap.swapAt(child, parent)
            parent = child
        }
    }

    /// Keeps only those that still stand for something.
    mutating func keep(where isAlive: (Expiry) -> Bool) {
        heap = heap.filter(isAlive)
        heap.sort { $0.moment < $1.moment }  // a sorted array is a heap
    }
}
