import QueueEngine

/// New messages by entry, up to so many octets: what fits is not read back for its first attempt.
///
/// A newcomer that does not fit is left out, since those before it go first.
struct FreshCache: Sendable {
    /// What a message costs beside its content: envelope, objects, dictionary.
    private static let overheadOctets = 1024

    private var messages: [Slot: (message: FreshMessage, octets: Int)] = [:]
    private(set) var octets = 0
    var octetLimit: Int

    init(octetLimit: Int) { self.octetLimit = octetLimit }

    func hasRoom(for octets: Int) -> Bool { self.octets + octets + Self.overheadOctets <= octetLimit }

    /// - Parameter entryCount: how many entries share the message: each carries its part of the cost.
    mutating func insert(_ message: FreshMessage, for slot: Slot, entryCount: Int) {
        let cost = (message.envelope.sizeOctets + Self.overheadOctets) / entryCount
        messages[slot] = (message, cost)
        octets += cost
    }

    mutating func take(_ slot: Slot) -> FreshMessage? {
        guard !messages.isEmpty, let found = messages.removeValue(forKey: slot) else { return nil }
        octets -= found.octets
        return found.message
    }
}
