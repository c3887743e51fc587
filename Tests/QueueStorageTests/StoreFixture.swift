import Glibc
import MailValues
import QueueEngine
import SMTPProtocol
import Synchronization

@testable import QueueStorage

/// Runs jobs where it is asked to.
final class InlineLane: Lane {
    func run(_ job: @escaping @Sendable () -> Void) { job() }
}

/// A folder that goes with its owner.
final class ScratchDirectory {
    let path: String

    init() {
        var template = Array("/tmp/chappe-store-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit { Self.remove(path) }

    var store: String { path + "/store" }

    /// Names of the files of the store.
    var files: [String] { (try? StoreDirectory(store, create: false).files) ?? [] }

    static func remove(_ path: String) {
        if let folder = opendir(path) {
            while let entry = readdir(folder) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != "." && name != ".." { remove(path + "/" + name) }
            }
            closedir(folder)
            rmdir(path)
        } else {
            unlink(path)
        }
    }

    /// Copies the store as it lies on the disk, so that a copy can be damaged.
    static func copy(_ from: String, to: String) throws {
        mkdir(to, 0o700)
        for name in try StoreDirectory(from, create: false).files where name != "LOCK" {
            write(try read(from + "/" + name), to: to + "/" + name)
        }
    }

    static func read(_ path: String) throws -> [UInt8] { try FileContent(path).withOctets { [UInt8]($0) } }

    static func write(_ octets: [UInt8], to path: String) {
        let file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0o600)
        var done = 0
        while done < octets.count {
            done += octets.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + done, $0.count - done) }
        }
        close(file)
    }
}

enum Sample {
    static let start = Timestamp(seconds: 1_790_000_000)

    static func id(_ number: Int) -> QueueID {
        QueueID(at: start + .milliseconds(number + 1), entropyHigh: 7, entropyLow: UInt64(number))
    }

    static func node(_ number: UInt8) -> NodeID { NodeID(octets: [UInt8](repeating: number, count: 32))! }

    static func mailbox(_ local: String, _ domain: String = "example.org") -> Mailbox {
        Mailbox(localPart: local, domain: Domain(domain))
    }

    static func envelope(_ number: Int, recipients: Int = 1, size: Int = 4096) -> Envelope {
        Envelope(
            id: id(number), acceptedAt: start, reversePath: .mailbox(mailbox("sender")),
            recipients: (0..<recipients).map {
                Recipient(mailbox: mailbox("rcpt\($0)", "d\(number).example"))
            },
            sizeOctets: size, origin: Envelope.Origin(listener: "mx", client: .v4(0xC000_0201)))
    }

    static func content(_ number: Int, octets: Int = 4096) -> [UInt8] {
        var random = UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15 | 1
        return (0..<octets).map { _ in
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return UInt8(truncatingIfNeeded: random >> 24)
        }
    }

    static func message(_ number: Int, recipients: Int = 1, octets: Int = 4096) -> NewMessage {
        NewMessage(
            envelope: envelope(number, recipients: recipients, size: octets),
            content: [content(number, octets: octets)])
    }

    static func progress(_ attempts: UInt32, _ text: String = "later") -> Recipient.Progress {
        var progress = Recipient.Progress()
        progress.attempts = attempts
        progress.nextAttempt = start + .seconds(300)
        progress.lastReply = Reply(451, EnhancedStatus(4, 7, 1), text)
        progress.lastHost = "mx.example.net[192.0.2.1]"
        progress.lastAttempt = start + .seconds(2)
        return progress
    }
}

extension RocksQueue {
    /// Commits and waits for the answer.
    func commitAndWait(_ changes: [QueueChange]) -> Result<Void, StoreError> {
        let done = Semaphore()
        let answer = Mutex<Result<Void, StoreError>>(.success(()))
        commit(changes, lane: InlineLane()) { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        return answer.withLock { $0 }
    }

    func writeChunkAndWait(_ id: QueueID, _ number: UInt32, _ octets: [UInt8]) -> Result<Void, StoreError> {
        let done = Semaphore()
        let answer = Mutex<Result<Void, StoreError>>(.success(()))
        writeChunk(id, number: number, octets: [octets], lane: InlineLane()) { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        return answer.withLock { $0 }
    }

    func all() throws -> [Envelope] {
        var all: [Envelope] = []
        try scan {
            all.append($0)
            return true
        }
        return all
    }

    static func openSample(
        _ scratch: ScratchDirectory, _ change: (inout StoreOptions) -> Void = { _ in }
    ) throws -> RocksQueue {
        var options = StoreOptions()
        options.contentBufferOctets = 4 << 20
        options.smallBufferOctets = 1 << 20
        change(&options)
        return try RocksQueue.open(directory: scratch.store, options: options, now: Sample.start)
    }
}

extension Result where Success == Void {
    var isSuccess: Bool { if case .success = self { true } else { false } }
}
