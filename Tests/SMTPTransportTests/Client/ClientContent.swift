import SMTPProtocol
import Synchronization

/// Content of a message in batches, each given at one call.
final class ClientContent: ContentSource {
    struct Unreadable: Error {}

    private let batches: [[[UInt8]]]
    private let failsAfter: Int?
    private let position = Mutex(0)

    init(_ batches: [[[UInt8]]], failsAfter: Int? = nil) {
        self.batches = batches
        self.failsAfter = failsAfter
    }

    convenience init(_ text: String) { self.init([[Array(text.utf8)]]) }

    func next() async throws -> [[UInt8]] {
        try position.withLock { position in
            if position == failsAfter { throw Unreadable() }
            guard position < batches.count else { return [] }
            defer { position += 1 }
            return batches[position]
        }
    }

    func rewind() { position.withLock { $0 = 0 } }
}
