import Convergence
import MailValues
import Membership

/// One process of a node in the simulation, with what it has on disk.
struct Process {
    /// What a sync has made durable.
    struct Disk {
        var incarnation: UInt64 = 0
        /// The last incarnation of each member that was seen, as the node writes it down.
        var seen: [NodeID: UInt64] = [:]
        /// The operator's, each the newest about its subject.
        var orders: [Order.Subject: Order] = [:]
    }

    /// The place of its node; a clone has the same as the first.
    let place: Int
    var disk = Disk()
    var snapshot: Disk?
    var machine: ClusterMachine?
    var startedAt: Int64 = 0
    /// The local clock's speed: 1 is right.
    var rate = 1.0
    var isPoweredOff = false
    var frozenSince: Int64?
    /// Until a deed lets it move again.
    var isHeld = false
    /// It passes on nothing that others said, and says that there is nothing.
    var isHiding = false
    /// What came while it stood still.
    var backlog: [(event: ClusterMachine.Event, arrived: Int64)] = []
    /// When the timeline will wake it; `max` for not at all.
    var wakeAt = Int64.max
    var octetsSent = 0
    /// Facts that its machine knew and dropped.
    var gone: Set<UInt32> = []
    /// Why it is not there, if it is not: stopped itself, or was stopped.
    var ending: String?

    var isRunning: Bool { machine != nil }

    /// How far the wall clock is off, in milliseconds.
    var wallError: Int64 = 0

    /// Both clocks. Simulations begin on 2026-01-01.
    func clock(at time: Int64) -> ClockReading {
        ClockReading(
            uptime: uptime(at: time),
            wall: Timestamp(milliseconds: 1_767_225_600_000 + time / 1_000 + wallError))
    }

    func uptime(at time: Int64) -> Uptime {
        Uptime(milliseconds: Int64(Double(time - startedAt) / 1_000 * rate))
    }

    /// The first microsecond at which the local clock shows `moment`.
    func time(of moment: Uptime) -> Int64 {
        var time = startedAt + Int64((Double(moment.milliseconds) * 1_000 / rate).rounded(.up))
        while uptime(at: time) < moment { time += 1 }  // ends: rounding is off by a few
        return time
    }
}
