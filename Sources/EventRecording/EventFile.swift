import Glibc
package import MailValues
import Synchronization
import Telemetry
import Threads

/// The node's event file: one line of JSON for each thing that happened, written by a thread of its own.
///
/// `write` copies a line into memory and returns; it never waits for the disk. What does not fit is dropped
/// and counted, and a line in the file says how many. The writer wakes once for all lines of
/// `Settings.gatherMilliseconds`, so that ten thousand events a second cost twenty writes.
package final class EventFile: EventSink {
    package struct Settings: Sendable {
        package var path: String
        /// Octets that may wait for the writer; further lines are dropped.
        package var waitingOctets = 8 << 20
        /// How long lines are gathered before they are written.
        package var gatherMilliseconds = 50
        /// With so many octets waiting the writer does not wait any longer.
        package var promptOctets = 256 << 10
        /// Mode of a new file, before the umask.
        package var mode: UInt32 = 0o640

        package init(path: String) { self.path = path }
    }

    package enum Failure: Error, Sendable, Equatable, CustomStringConvertible {
        case cannotOpen(path: String, reason: String)

        package var description: String {
            switch self {
            case .cannotOpen(let path, let reason):
                "\(path) cannot be opened: \(reason); give its folder to the user of the node, or set `events.file`"
            }
        }
    }

    private let settings: Settings
    private let state: Waiting
    private let writtenLines = Atomic<UInt64>(0)
    private let droppedLines = Atomic<UInt64>(0)
    private let now: @Sendable () -> Timestamp
    private let thread: Mutex<WorkerThread?>

    /// Opens or makes the file, and starts the writer.
    package init(
        _ settings: Settings, now: @escaping @Sendable () -> Timestamp = EventFile.wallClock
    ) throws(Failure) {
        self.settings = settings
        self.now = now
        state = Waiting()
        thread = Mutex(nil)
        let descriptor = try Self.openFile(settings)
        // The thread holds on to us until `close`.
        thread.withLock {
            $0 = WorkerThread(name: "events") { [self] in run(EventFileWriter(descriptor: descriptor)) }
        }
    }

    /// Lines handed to the file system, and lines dropped, since the start.
    package var counts: (written: UInt64, dropped: UInt64) {
        (writtenLines.load(ordering: .relaxed), droppedLines.load(ordering: .relaxed))
    }

    package func write(_ line: [UInt8]) {
        let kept = state.withLock { content, signal in
            guard !content.isClosed, content.octets.count + line.count < settings.waitingOctets else {
                content.dropped += 1
                return false
            }
            let wasEmpty = content.octets.isEmpty
            content.octets.append(contentsOf: line)
            content.octets.append(0x0A)
            content.lines += 1
            // Two wake-ups at most for all lines of one write: for the first, and when there are many.
            if wasEmpty {
                signal()
            } else if content.octets.count >= settings.promptOctets, !content.isUrgent {
                content.isUrgent = true
                signal()
            }
            return true
        }
        if !kept { droppedLines.wrappingAdd(1, ordering: .relaxed) }
    }

    /// Writes what waits to the old file and opens the path anew, because the old file has been moved away
    /// (SIGUSR1).
    ///
    /// If the path cannot be opened, the old file is kept, so that no line is lost, and the file says so.
    package func reopen() {
        state.withLock { content, signal in
            content.mustReopen = true
            content.isUrgent = true
            signal()
        }
    }

    /// Returns when all lines given so far, and a `reopen` asked for so far, are with the file system.
    package func flush() { state.awaitTurn() }

    /// Writes what waits, and ends the writer. Lines that come later are dropped.
    package func close() {
        state.withLock { content, signal in
            content.isClosed = true
            content.isUrgent = true
            signal()
        }
        let thread = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        thread?.join()
    }

    // MARK: The writer

    private func run(_ writer: consuming EventFileWriter) {
        var writer = writer
        while true {
            var work = state.take(gatherMilliseconds: settings.gatherMilliseconds)
            if work.dropped > 0 {
                var event = Event(.lifecycle, at: now())
                event.add("event", .text("events dropped"))
                event.add("count", .number(Int64(work.dropped)))
                event.encoded(into: &work.octets)
                work.octets.append(0x0A)
            }
            if writer.write(work.octets) {
                writtenLines.wrappingAdd(UInt64(work.lines), ordering: .relaxed)
            } else {
                droppedLines.wrappingAdd(UInt64(work.lines), ordering: .relaxed)
                state.withLock { content, _ in content.dropped += work.lines + work.dropped }
            }
            if work.mustReopen { reopen(&writer) }
            state.finishTurn(recycling: work.octets)
            if work.isClosed { return }
        }
    }

    private func reopen(_ writer: inout EventFileWriter) {
        do {
            writer.replace(descriptor: try Self.openFile(settings))
        } catch {
            var event = Event(.lifecycle, at: now())
            event.add("event", .text("event file not reopened"))
            if case .cannotOpen(_, let reason) = error { event.add("reason", .text(reason)) }
            _ = writer.write(event.encoded() + [0x0A])
        }
    }

    private static func openFile(_ settings: Settings) throws(Failure) -> CInt {
        let descriptor = open(settings.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, settings.mode)
        guard descriptor >= 0 else {
            throw .cannotOpen(path: settings.path, reason: String(cString: strerror(errno)))
        }
        return descriptor
    }

    package static let wallClock: @Sendable () -> Timestamp = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
