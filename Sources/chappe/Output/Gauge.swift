/// One line on a terminal that says how far something has come, and goes when it is there. Elsewhere:
/// nothing.
final class Gauge {
    private static let pause: Duration = .milliseconds(200)

    private let screen: Screen
    private var shownAt: ContinuousClock.Instant?

    init(on screen: Screen) { self.screen = screen }

    func show(_ text: String) {
        guard screen.hasPerson else { return }
        let now = ContinuousClock.now
        if let shownAt, now - shownAt < Self.pause { return }
        shownAt = now
        screen.murmur("\r\u{1B}[K\(text)")
    }

    func clear() {
        if shownAt != nil { screen.murmur("\r\u{1B}[K") }
        shownAt = nil
    }
}
