import Synchronization

/// Numbers sessions from 1 up, for logs.
final class SessionNumbers: Sendable {
    private let last = Atomic<UInt64>(0)

    func next() -> UInt64 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}
