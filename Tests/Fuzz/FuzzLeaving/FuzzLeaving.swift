import MailValues
import QueueEngine
import QueueStorage

/// What a node of the cluster may send a leaver or an heir: read, and if it reads, taken by the machine and written again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let wire = LeavingWire(limits: LeavingLimits(), envelopes: StoredEnvelopeCoding())
    guard let frame = try? wire.decode([UInt8](UnsafeBufferPointer(start: start, count: count))) else {
        return 0
    }
    precondition((try? wire.decode(wire.encode(frame))) == frame, "what was read is written the same")
    guard let me = NodeID(octets: [UInt8](repeating: 1, count: 32)),
        let other = NodeID(octets: [UInt8](repeating: 2, count: 32))
    else { return 0 }
    var machine = Succession(me: me, epoch: 1, nonce: 1)
    var actions: [Succession.Action] = []
    let events: [Succession.Event] = [
        .member(other, .alive), .leaver(.leave), .leaver(.epochWritten), .leaver(.intakeStopped),
        .frame(
            .open(
                LeavingFrame.Subject(leaver: other, heir: me), LeavingSession(epoch: 1, round: 1), settled: 0),
            from: other),
        .frame(frame, from: other), .tick,
    ]
    for event in events { machine.handle(event, now: .start, &actions) }
    return 0
}
