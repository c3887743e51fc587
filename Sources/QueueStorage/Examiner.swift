import Glibc
import Synchronization

/// Examines the open store from time to time, slowly, on a thread of its own.
///
/// Most damage to a store is met by nobody for days: a message for a dead host is not read. Found at once, it
/// is still in the last backup.
final class Examiner: Sendable {
    private let directory: StoreDirectory
    private let database: OpenDatabase
    private let health: StoreHealth
    private let rate: Int
    private let pause: Duration
    private let wake = Semaphore()
    private let isClosing = Atomic<Bool>(false)
    private let hasBegun = Atomic<Bool>(false)

    init(directory: StoreDirectory, database: OpenDatabase, health: StoreHealth, options: StoreOptions) {
        self.directory = directory
        self.database = database
        self.health = health
        rate = options.examinationRate
        pause = options.examinationPause
    }

    func run() {
        // Whoever sends or waits for mail goes first.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
        while !isClosing.load(ordering: .acquiring) {
            guard hasBegun.load(ordering: .acquiring) else {
                wake.wait()
                continue
            }
            let begun = ContinuousClock.now
            var read = 0
            OpenExamination(directory: directory, database: database, health: health) { octets in
                read += octets
                return self.keepPace(read, since: begun)
            }.run()
            guard !isClosing.load(ordering: .acquiring) else { return }
            health.examined()
            wake.wait(atMost: pause)
        }
    }

    /// From now on; the start has other things to read first.
    func begin() {
        hasBegun.store(true, ordering: .releasing)
        wake.signal()
    }

    func close() {
        isClosing.store(true, ordering: .releasing)
        wake.signal()
    }

    /// Waits until so many octets are due; false: the store is closing.
    private func keepPace(_ octets: Int, since begun: ContinuousClock.Instant) -> Bool {
        let due = begun + .seconds(Double(octets) / Double(rate))
        let ahead = due - .now
        if ahead > .milliseconds(20) { wake.wait(atMost: ahead) }
        return !isClosing.load(ordering: .acquiring)
    }
}
