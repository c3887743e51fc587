import Glibc
import Synchronization

/// Watches the free room of the store's file system, and keeps the ballast.
final class Room: Sendable {
    private struct State {
        var usage = RoomPolicy.Usage()
        var holdsBallast = false
        var wasTaking = true
    }

    private let path: String
    private let ballastPath: String
    private let policy: RoomPolicy
    private let state: Mutex<State>
    private let intake = Atomic<Bool>(true)
    private let delivery = Atomic<Bool>(true)
    private let free = Atomic<Int>(0)

    /// Octets written after which the writer looks again.
    let lookEveryOctets: Int

    init(directory: String, options: StoreOptions) {
        path = directory
        ballastPath = directory + "/ballast"
        policy = RoomPolicy(options)
        lookEveryOctets = max(options.contentBufferOctets / 4, 256 << 10)
        var status = stat()
        let holds = stat(ballastPath, &status) == 0 && Int(status.st_size) >= policy.ballastOctets
        state = Mutex(State(holdsBallast: holds))
    }

    var mayTakeMail: Bool { intake.load(ordering: .relaxed) }
    var mayDeliver: Bool { delivery.load(ordering: .relaxed) }
    var freeOctets: Int { free.load(ordering: .relaxed) }
    var holdsBallast: Bool { state.withLock { $0.holdsBallast } }
    /// What the ballast keeps back at this moment.
    var reserveOctets: Int { holdsBallast ? policy.ballastOctets : 0 }

    /// The size of the file system that holds `directory`, in octets.
    static func capacity(of directory: String) -> Int? {
        var information = statvfs()
        guard statvfs(directory, &information) == 0 else { return nil }
        return Int(clamping: UInt64(information.f_blocks) &* UInt64(information.f_frsize))
    }

    /// Looks and decides anew; `usage` where the caller has counted again.
    func look(_ usage: RoomPolicy.Usage? = nil) {
        state.withLock { state in
            if let usage { state.usage = usage }
            var verdict = judge(&state)
            if state.holdsBallast && !verdict.mayHoldBallast {
                unlink(ballastPath)
                state.holdsBallast = false
                verdict = judge(&state)
            } else if !state.holdsBallast && verdict.mayHoldBallast && makeBallast() {
                state.holdsBallast = true
                verdict = judge(&state)
            }
            state.wasTaking = verdict.mayTakeMail
            intake.store(verdict.mayTakeMail, ordering: .relaxed)
            delivery.store(verdict.mayDeliver, ordering: .relaxed)
        }
    }

    /// Whether RocksDB may be opened: it writes before it says anything, and bears a full disk badly just then.
    var mayOpen: Bool {
        look()
        return freeOctets >= RoomPolicy.octetsToOpen
    }

    /// RocksDB has met the end of the disk: whatever was set aside goes now.
    func giveUpBallast() {
        state.withLock { state in
            unlink(ballastPath)
            state.holdsBallast = false
            state.wasTaking = false
        }
        intake.store(false, ordering: .relaxed)
    }

    private func judge(_ state: inout State) -> RoomPolicy.Verdict {
        var information = statvfs()
        guard statvfs(path, &information) == 0 else {
            return RoomPolicy.Verdict(
                mayTakeMail: false, mayDeliver: false, mayHoldBallast: state.holdsBallast)
        }
        let octets = Int(clamping: UInt64(information.f_bavail) &* UInt64(information.f_frsize))
        free.store(octets, ordering: .relaxed)
        return policy.judge(
            freeOctets: octets, usage: state.usage, holdsBallast: state.holdsBallast,
            wasTaking: state.wasTaking)
    }

    /// Real blocks, not a hole: a sparse file would give nothing back.
    private func makeBallast() -> Bool {
        let file = open(ballastPath, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        defer { close(file) }
        guard posix_fallocate(file, 0, policy.ballastOctets) == 0 else {
            unlink(ballastPath)
            return false
        }
        return true
    }
}
