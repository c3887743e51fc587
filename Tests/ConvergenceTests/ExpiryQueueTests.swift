import Testing

@testable import Convergence

@Suite("Expiry queue")
struct ExpiryQueueTests {
    @Test("what is over first comes first, whatever came in between", arguments: UInt64(1)...20)
    func sorts(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var queue = ExpiryQueue()
        var truth: [Int64] = []
        for turn in 0..<500 {
            if Int.random(in: 0..<3, using: &random) > 0 {
                let moment = Int64.random(in: 0..<100, using: &random)
                queue.insert(.init(moment: moment, place: .init(counter: UInt64(turn), slot: 0)))
                truth.append(moment)
            } else {
                #expect(queue.next?.moment == truth.min())
                truth.firstIndex(of: truth.min() ?? -1).map { _ = truth.remove(at: $0) }
                queue.removeNext()
            }
            if turn == 250 {
                queue.keep { $0.moment >= 20 }
                truth.removeAll { $0 < 20 }
            }
            #expect(queue.count == truth.count)
        }
    }
}
