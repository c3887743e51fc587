import QueueEngine
import SMTPProtocol
import Synchronization
import Testing

@testable import QueueStorage

@Suite struct WithdrawalTests {
    @Test("a commit that waits can be taken out, once, and no other with it")
    func fromTheInbox() {
        let inbox = Inbox()
        for number in 0..<3 {
            let commit = Inbox.Commit(changes: [.accept(Sample.message(number))], lane: InlineLane()) { _ in }
            #expect(inbox.put { $0.commits.append(commit) })
        }
        #expect(inbox.withdraw(Sample.id(1))?.accepts(Sample.id(1)) == true)
        #expect(inbox.withdraw(Sample.id(1)) == nil)
        var waiting = Inbox.Waiting()
        inbox.take(into: &waiting, patience: .zero)
        #expect(waiting.commits.map { $0.accepts(Sample.id(0)) } == [true, false])
        #expect(inbox.withdraw(Sample.id(2)) == nil)
    }

    @Test(
        "whatever the moment of a withdrawal, what is refused is not stored, and what is stored is not refused"
    )
    func atAnyMoment() throws {
        let scratch = ScratchDirectory()
        let queue = try RocksQueue.openSample(scratch)
        let results = Mutex<[Int: [Bool]]>([:])
        for number in 0..<400 {
            queue.commit([.accept(Sample.message(number))], lane: InlineLane()) { result in
                results.withLock { $0[number, default: []].append(result.isSuccess) }
            }
            if number % 3 == 0 { queue.withdraw(Sample.id(number)) }
        }
        #expect(queue.commitAndWait([.accept(Sample.message(1000))]).isSuccess)
        queue.withdraw(Sample.id(0))
        let told = results.withLock { $0 }
        #expect(told.count == 400)
        for (number, answers) in told {
            #expect(answers.count == 1)
            #expect(try (queue.envelope(Sample.id(number)) != nil) == answers[0])
        }
        queue.close()
    }
}
