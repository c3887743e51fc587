import MailValues

/// Frames for members whose link is being made: they leave in order as soon as it stands.
///
/// What finds no room here is dropped, and counted by who asked.
struct WaitingFrames {
    private var frames: [NodeID: [Mailbox.Outgoing]] = [:]
    private(set) var octets = 0
    private let framesMost: Int
    private let octetsMost: Int

    /// - Parameters:
    ///   - framesMost: for one member; not more than the library takes for it at once.
    ///   - octetsMost: for all of them.
    init(framesMost: Int, octetsMost: Int) {
        self.framesMost = framesMost
        self.octetsMost = octetsMost
    }

    /// False: no room.
    mutating func add(_ frame: Mailbox.Outgoing) -> Bool {
        guard frames[frame.node]?.count ?? 0 < framesMost, octets + frame.octets.count <= octetsMost else {
            return false
        }
        octets += frame.octets.count
        frames[frame.node, default: []].append(frame)
        return true
    }

    /// All that wait for one member.
    mutating func take(for node: NodeID) -> [Mailbox.Outgoing] {
        let taken = frames.removeValue(forKey: node) ?? []
        octets -= taken.reduce(0) { $0 + $1.octets.count }
        return taken
    }
}
