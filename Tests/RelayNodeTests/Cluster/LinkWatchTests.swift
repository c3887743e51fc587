import MailValues
import Testing

@testable import RelayNode

@Suite("Links that are missing")
struct LinkWatchTests {
    private enum Step { case expect, up, down, forget }

    private func node(_ number: UInt8) -> NodeID { NodeID(octets: [UInt8](repeating: number, count: 32))! }

    @Test("are told of after a while, from when they were last there or first tried")
    func missing() {
        let cases: [(steps: [(Int64, Step)], now: Int64, since: Int64?)] = [
            ([], 1_000, nil),
            ([(0, .expect)], 14, nil),
            ([(0, .expect)], 15, 0),
            ([(0, .expect), (5, .up)], 100, nil),
            ([(0, .expect), (5, .up), (50, .down)], 64, nil),
            ([(0, .expect), (5, .up), (50, .down)], 65, 50),
            // Each attempt that fails ends again; it has been missing from the first on.
            ([(0, .up), (50, .down), (60, .down), (62, .expect)], 66, 50),
            ([(0, .up), (50, .down), (60, .up), (70, .down)], 80, nil),
            ([(0, .expect), (50, .forget)], 100, nil),
        ]
        for (number, sample) in cases.enumerated() {
            var watch = LinkWatch()
            for (second, step) in sample.steps {
                let now = Timestamp(seconds: second)
                switch step {
                case .expect: watch.expect(node(1), now: now)
                case .up: watch.up(node(1))
                case .down: watch.down(node(1), now: now)
                case .forget: watch.forget(node(1))
                }
            }
            let now = Timestamp(seconds: sample.now)
            let since = sample.since.map { Timestamp(seconds: $0) }
            #expect(watch.missing(node(1), now: now) == since, "\(number)")
            #expect(watch.missing(node(2), now: now) == nil)
        }
    }
}
