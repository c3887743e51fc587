import SwiftProtobuf

/// Packs what is said to one peer into frames of the link, so that many messages share one; what is longer than a frame goes in
/// parts.
package struct LeavingPacker: Sendable {
    private let limit: Int
    private var pack = Chappe_Leaving_Pack()
    private var octets = 0
    private var cutCount: UInt64 = 0

    package init(limits: LeavingLimits) { limit = limits.packOctets }

    package var isEmpty: Bool { octets == 0 }

    /// Adds one body; `send` gets each frame that is full.
    package mutating func add(_ body: [UInt8], _ send: ([UInt8]) -> Void) {
        if octets + body.count > limit { finish(send) }
        guard body.count > limit else {
            pack.bodies.append(data(body))
            octets += body.count
            return
        }
        cutCount += 1
        for start in stride(from: 0, to: body.count, by: limit) {
            let part = Chappe_Leaving_Part.with {
                $0.number = cutCount
                $0.start = UInt64(start)
                $0.size = UInt64(body.count)
                $0.octets = data(Array(body[start..<min(start + limit, body.count)]))
            }
            send(Self.octets(of: .with { $0.part = part }))
        }
    }

    /// Sends what is packed.
    package mutating func finish(_ send: ([UInt8]) -> Void) {
        guard octets > 0 else { return }
        send(Self.octets(of: pack))
        pack = Chappe_Leaving_Pack()
        octets = 0
    }

    private static func octets(of pack: Chappe_Leaving_Pack) -> [UInt8] {
        do { return try pack.serializedBytes() } catch {
            preconditionFailure("a message without required fields can be written: \(error)")
        }
    }
}

/// Takes apart what one peer packed.
///
/// A body of which a part is missing is lost, as a frame may be: who waits for it says so again.
package struct LeavingUnpacker: Sendable {
    private let limit: Int
    private var parts: (number: UInt64, size: Int, octets: [UInt8])?

    package init(limits: LeavingLimits) { limit = limits.frameOctets }

    /// The bodies that are whole now; nil: it is no pack.
    package mutating func take(_ octets: [UInt8]) -> [[UInt8]]? {
        guard let pack = try? Chappe_Leaving_Pack(serializedBytes: octets) else { return nil }
        var bodies = pack.bodies.map { [UInt8]($0) }
        guard pack.hasPart else { return bodies }
        guard let size = Int(exactly: pack.part.size), size <= limit else { return nil }
        if pack.part.start == 0 { parts = (pack.part.number, size, []) }
        guard var collected = parts, collected.number == pack.part.number, collected.size == size,
            UInt64(collected.octets.count) == pack.part.start,
            collected.octets.count + pack.part.octets.count <= size
        else {
            parts = nil
            return bodies
        }
        parts = nil
        collected.octets += pack.part.octets
        if collected.octets.count == size {
            bodies.append(collected.octets)
        } else {
            parts = collected
        }
        return bodies
    }
}
