import Glibc
import MailValues
import QueueEngine
import QueueStorage

// Nodes of store, schedule, links and leaving alone, for the trial of `leave`: each in a process of its own, so that it can
// be killed. `ops/bench/leaving` plays them.
//
// usage: LeavingTrial fill DIRECTORY COUNT OCTETS       puts messages 0 … COUNT-1 into a store, every fiftieth due at once
//        LeavingTrial node NUMBER DIRECTORY DELIVERED NEW-PER-SECOND OCTETS PEER…
//                                                       one of the nodes; `leave` and `stop` come by standard input
//        LeavingTrial list DIRECTORY                    what lies in a store: `own NUMBER` or `given NUMBER`

/// One write per line: a kill must not cut what was said before.
func say(_ line: String) {
    let octets = Array((line + "\n").utf8)
    _ = octets.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
}

func fill(_ directory: String, count: Int, octets: Int) async throws {
    let queue = try RocksQueue.open(directory: directory, now: TrialClock.now)
    for start in stride(from: 0, to: count, by: 256) {
        let messages = (start..<min(start + 256, count)).map { TrialMessage.make($0, octets: octets) }
        let result = await withCheckedContinuation { continuation in
            queue.commit(messages.map { .accept($0) }, lane: TrialLane()) {
                continuation.resume(returning: $0)
            }
        }
        guard case .success = result else { exit(3) }
    }
    queue.close()
}

func list(_ directory: String) throws {
    let queue = try RocksQueue.open(directory: directory, now: TrialClock.now)
    var lines: [String] = []
    try queue.scan { envelope in
        lines.append("\(envelope.offered == nil ? "own" : "given") \(envelope.id.low)")
        return true
    }
    say(lines.joined(separator: "\n"))
    queue.close()
}

let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "fill" where arguments.count == 4:
    try await fill(arguments[1], count: Int(arguments[2]) ?? 0, octets: Int(arguments[3]) ?? 0)
case "list" where arguments.count == 2: try list(arguments[1])
case "node" where arguments.count > 6:
    guard let number = UInt8(arguments[1]), let rate = Int(arguments[4]), let octets = Int(arguments[5])
    else {
        exit(64)
    }
    let node = try TrialNode(
        number, directory: arguments[2], delivered: arguments[3],
        peers: arguments[6...].compactMap { UInt8($0) })
    await node.run(newPerSecond: rate, octets: octets)
default: exit(64)
}
