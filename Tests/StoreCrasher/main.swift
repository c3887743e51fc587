import Glibc
import MailValues
import QueueEngine
import QueueStorage
import SMTPProtocol
import Synchronization

// Fills a store until it is killed, and says on standard output what was answered: `+number` accepted,
// `-number` removed. Each line is written only after the store's answer, so whoever reads them knows what
// must be there.
//
// StoreCrasher DIRECTORY COUNT CONTENT-OCTETS REMOVE-EVERY ON-END(stay|die|close)

final class InlineLane: Lane {
    func run(_ job: @escaping @Sendable () -> Void) { job() }
}

func say(_ line: String) {
    // One write per line: lines of several threads must not mix, and a kill must not cut what was said
    // before.
    let octets = Array((line + "\n").utf8)
    _ = octets.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
}

func message(_ number: Int, octets: Int) -> NewMessage {
    let start = Timestamp(seconds: 1_790_000_000)
    let id = QueueID(at: start + .milliseconds(number + 1), entropyHigh: 7, entropyLow: UInt64(number))
    let envelope = Envelope(
        id: id, acceptedAt: start, reversePath: .null,
        recipients: [
            Recipient(mailbox: Mailbox(localPart: "rcpt", domain: Domain("d\(number % 100).example")))
        ],
        sizeOctets: octets, origin: Envelope.Origin(listener: "mx"))
    return NewMessage(
        envelope: envelope, content: [Array(repeating: UInt8(truncatingIfNeeded: number), count: octets)])
}

let arguments = CommandLine.arguments
guard arguments.count == 6, let count = Int(arguments[2]), let octets = Int(arguments[3]),
    let removeEvery = Int(arguments[4])
else { exit(2) }
var options = StoreOptions()
options.contentBufferOctets = 1 << 20
options.smallBufferOctets = 512 << 10
options.logOctetsLargest = 4 << 20
let queue = try RocksQueue.open(
    directory: arguments[1], options: options, now: Timestamp(seconds: 1_790_000_000))
say("open")

let next = Atomic<Int>(0)
let left = Atomic<Int>(8)
let allDone = Atomic<Bool>(false)

/// One of eight committers: its next message as soon as the last is answered.
@Sendable func proceed() {
    let number = next.add(1, ordering: .relaxed).oldValue
    guard number < count else {
        if left.subtract(1, ordering: .relaxed).newValue == 0 { allDone.store(true, ordering: .releasing) }
        return
    }
    let new = message(number, octets: octets)
    queue.commit([.accept(new)], lane: InlineLane()) { result in
        guard case .success = result else { exit(3) }
        say("+\(number)")
        guard number % removeEvery == 0 else { return proceed() }
        queue.commit([.remove(new.envelope.id, chunkCount: 0, recipientCount: 1)], lane: InlineLane()) {
            result in
            guard case .success = result else { exit(3) }
            say("-\(number)")
            proceed()
        }
    }
}
for _ in 0..<8 { proceed() }
while !allDone.load(ordering: .acquiring) { poll(nil, 0, 1) }
switch arguments[5] {
case "die": kill(getpid(), SIGKILL)
case "close": queue.close()
default: while true { pause() }
}
