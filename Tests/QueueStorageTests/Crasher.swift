import Glibc

/// Runs `StoreCrasher` and reads what it says.
struct Crasher {
    private let process: pid_t
    private let output: Int32

    init(
        _ directory: String, count: Int, octets: Int = 600, removeEvery: Int = 1_000_000, end: String = "stay"
    ) throws {
        var executable = [CChar](repeating: 0, count: 4096)
        readlink("/proc/self/exe", &executable, 4095)
        let folder = String(
            decoding: executable.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self
        )
        .split(separator: "/").dropLast().map { "/" + $0 }.joined()
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        // Else it would hold the sockets of other tests open.
        for handle: Int32 in 3..<512 { posix_spawn_file_actions_addclose(&actions, handle) }
        let arguments = ["StoreCrasher", directory, "\(count)", "\(octets)", "\(removeEvery)", end]
        let cArguments: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for argument in cArguments { free(argument) } }
        var process = pid_t()
        let result = posix_spawn(&process, folder + "/StoreCrasher", &actions, nil, cArguments, environ)
        close(ends[1])
        guard result == 0 else { throw Failure(code: result) }
        self.process = process
        output = ends[0]
    }

    struct Failure: Error { let code: Int32 }

    /// What was answered before it was killed, right after `lines` lines; or at its own end.
    func run(killAfter lines: Int = .max) -> (accepted: Set<Int>, removed: Set<Int>) {
        var text: [UInt8] = []
        var killed = false
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(output, &buffer, buffer.count)
            guard count > 0 else { break }
            text += buffer[..<count]
            if !killed, text.count(where: { $0 == 10 }) >= lines {
                kill(process, SIGKILL)
                killed = true
            }
        }
        close(output)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        var accepted: Set<Int> = []
        var removed: Set<Int> = []
        for line in text.split(separator: 10) {
            guard let number = Int(String(decoding: line.dropFirst(), as: UTF8.self)) else { continue }
            if line.first == 0x2B { accepted.insert(number) }
            if line.first == 0x2D { removed.insert(number) }
        }
        return (accepted, removed)
    }
}
