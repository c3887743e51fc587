import MailValues
import QueueEngine

/// Frames for the others, packed, and kept until the links take them.
struct LeavingOutbox {
    private let limits: LeavingLimits
    private var packers: [NodeID: LeavingPacker] = [:]
    /// Packs that found no room on a link, oldest first.
    private var waiting: [NodeID: (packs: [[UInt8]], octets: Int)] = [:]

    /// Octets that wait for one member; what comes beyond is lost, and said again by who misses it.
    private static let waitingOctetsMost = 32 << 20

    init(limits: LeavingLimits) { self.limits = limits }

    mutating func add(_ body: [UInt8], to node: NodeID, _ send: ([UInt8], NodeID) -> Bool) {
        var full: [[UInt8]] = []
        packers[node, default: LeavingPacker(limits: limits)].add(body) { full.append($0) }
        for pack in full { put(pack, to: node, send) }
    }

    /// Sends whatever is packed, and what waited before.
    mutating func flush(_ send: ([UInt8], NodeID) -> Bool) {
        for node in waiting.keys {
            guard var packs = waiting[node]?.packs[...] else { continue }
            while let pack = packs.first, send(pack, node) { packs.removeFirst() }
            waiting[node] =
                packs.isEmpty ? nil : (packs: Array(packs), octets: packs.reduce(0) { $0 + $1.count })
        }
        for node in packers.keys {
            var last: [UInt8]?
            packers[node]?.finish { last = $0 }
            if let last { put(last, to: node, send) }
        }
    }

    /// The member is not there: nothing of it is of use later.
    mutating func forget(_ node: NodeID) {
        packers[node] = nil
        waiting[node] = nil
    }

    private mutating func put(_ pack: [UInt8], to node: NodeID, _ send: ([UInt8], NodeID) -> Bool) {
        guard waiting[node] != nil || !send(pack, node) else { return }
        let octets = waiting[node]?.octets ?? 0
        guard octets + pack.count <= Self.waitingOctetsMost else { return }
        waiting[node, default: ([], 0)].packs.append(pack)
        waiting[node]?.octets = octets + pack.count
    }
}
