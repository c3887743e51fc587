import Glibc
import Synchronization

struct Failure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Executables that were built together with this test.
enum Program {
    private static let folder: String = {
        var path = [CChar](repeating: 0, count: 4096)
        readlink("/proc/self/exe", &path, 4095)
        let text = String(decoding: path.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return text.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    }()

    /// `name`: a path, or the name of one of ours.
    static func spawn(
        _ name: String, _ arguments: [String], environment: [String] = [], output: Int32?, errors: Int32?
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let output { posix_spawn_file_actions_adddup2(&actions, output, 1) }
        if let errors { posix_spawn_file_actions_adddup2(&actions, errors, 2) }
        // Else it would hold the sockets of other tests open.
        for handle: Int32 in 3..<512 { posix_spawn_file_actions_addclose(&actions, handle) }
        let words: [UnsafeMutablePointer<CChar>?] = ([name] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        let settings = environment.map { strdup($0) }
        defer { for setting in settings { free(setting) } }
        let inherited = sequence(first: 0) { $0 + 1 }.lazy.map { environ[$0] }.prefix { $0 != nil }
        let surroundings = settings + Array(inherited) + [nil]
        var process = pid_t()
        let path = name.hasPrefix("/") ? name : "\(folder)/\(name)"
        let result = posix_spawn(&process, path, &actions, nil, words, surroundings)
        guard result == 0 else { throw Failure("\(path): \(String(cString: strerror(result)))") }
        return process
    }
}

/// What a process writes, read by a thread of its own so that the process never waits for us.
final class ProcessOutput: @unchecked Sendable {
    // @unchecked: the descriptors are set once; the rest is behind the mutex.
    private let readingEnd: Int32
    let writingEnd: Int32
    private let state = Mutex((text: "", hasEnded: false))

    init() {
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0, "there is room for a pipe")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        readingEnd = ends[0]
        writingEnd = ends[1]
    }

    /// The child has its copy of the writing end by now.
    func begin() {
        close(writingEnd)
        Threads.start { [self] in
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {  // ends: with the last process that holds the other end
                let count = read(readingEnd, &buffer, buffer.count)
                guard count > 0 else { break }
                state.withLock { $0.text += String(decoding: buffer[..<count], as: UTF8.self) }
            }
            close(readingEnd)
            state.withLock { $0.hasEnded = true }
        }
    }

    var text: String { state.withLock { $0.text } }

    /// Everything, once there is no more to come.
    func whole() -> String {
        try? Waiting.until("output ends") { state.withLock { $0.hasEnded } }
        return text
    }

    func wait(for words: String) throws {
        try Waiting.until("\"\(words)\" in: \(text)") {
            let (text, hasEnded) = state.withLock { $0 }
            if text.contains(words) { return true }
            if hasEnded { throw Failure("it ended without saying \"\(words)\"; it said: \(text)") }
            return false
        }
    }
}

enum Threads {
    static func start(_ body: @escaping @Sendable () -> Void) {
        final class Box {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { box in
                if let box { Unmanaged<Box>.fromOpaque(box).takeRetainedValue().body() }
                return nil
            }, Unmanaged.passRetained(Box(body)).toOpaque())
        pthread_detach(thread)
    }

    /// Runs what blocks outside the threads that all tests share.
    static func run(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            start { continuation.resume(with: Result { try body() }) }
        }
    }
}

enum Waiting {
    /// Long enough for a machine that does other things too.
    private static let limitSeconds = 60
    private static let stepMilliseconds: Int32 = 10

    /// Looks again and again until it is so.
    static func until(_ what: @autoclosure () -> String, _ condition: () throws -> Bool) throws {
        let begun = time(nil)
        repeat {
            if try condition() { return }
            poll(nil, 0, stepMilliseconds)
        } while time(nil) - begun < limitSeconds
        throw Failure("waited in vain: \(what())")
    }
}

enum Folder {
    static func temporary() throws -> String {
        var template = Array("/tmp/chappe-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure("no folder in /tmp") }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    static func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw Failure("\(path) cannot be written") }
        fputs(text, file)
        fclose(file)
    }

    static func text(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { octets += buffer[..<count] }
        return String(decoding: octets, as: UTF8.self)
    }

    static func remove(_ path: String) {
        let process = try? Program.spawn("/bin/rm", ["-rf", path], output: nil, errors: nil)
        var status: Int32 = 0
        if let process { waitpid(process, &status, 0) }
    }
}

enum Identity {
    static var user: String { getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "nobody" }
    static var group: String { getgrgid(getegid()).map { String(cString: $0.pointee.gr_name) } ?? "nogroup" }
}
