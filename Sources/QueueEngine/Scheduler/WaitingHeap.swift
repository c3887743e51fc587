/// Entries by when they are due: a heap of four children a node, each entry knowing its position, so that any
/// may leave.
struct WaitingHeap: Sendable {
    private struct Node {
        var due: UInt32
        var slot: Slot
    }

    private var nodes: ContiguousArray<Node> = []

    var count: Int { nodes.count }
    var earliest: (due: UInt32, slot: Slot)? { nodes.first.map { ($0.due, $0.slot) } }

    mutating func insert(_ slot: Slot, due: UInt32, in table: inout EntryTable) {
        nodes.append(Node(due: due, slot: slot))
        moveUp(nodes.count - 1, in: &table)
    }

    mutating func remove(_ slot: Slot, in table: inout EntryTable) {
        let position = Int(table[slot].linkA)
        precondition(nodes[position].slot == slot, "an entry knows its place in the heap")
        let last = nodes.removeLast()
        guard position < nodes.count else { return }
        let due = nodes[position].due
        nodes[position] = last
        if last.due < due { moveUp(position, in: &table) } else { moveDown(position, in: &table) }
    }

    private mutating func moveUp(_ start: Int, in table: inout EntryTable) {
        var position = start
        let node = nodes[position]
        while position > 0 {
            let parent = (position - 1) / 4
            guard nodes[parent].due > node.due else { break }
            nodes[position] = nodes[parent]
            table[nodes[position].slot].linkA = UInt32(position)
            position = parent
        }
        nodes[position] = node
        table[node.slot].linkA = UInt32(position)
    }

    private mutating func moveDown(_ start: Int, in table: inout EntryTable) {
        var position = start
        let node = nodes[position]
        while true {
            let first = position * 4 + 1
            guard first < nodes.count else { break }
            var least = first
            for child in first..<min(first + 4, nodes.count) where nodes[child].due < nodes[least].due {
                least = child
            }
            guard nodes[least].due < node.due else { break }
            nodes[position] = nodes[least]
            table[nodes[position].slot].linkA = UInt32(position)
            position = least
        }
        nodes[position] = node
        table[node.slot].linkA = UInt32(position)
    }
}
