import Glibc
import MailValues

/// Where a command writes: standard output and standard error, or a test's memory.
final class Screen {
    private let output: ([UInt8]) -> Void
    private let errors: ([UInt8]) -> Void
    /// Asks a person; nil where there is none.
    private let question: ((String) -> String?)?
    private let wait: (Duration) -> Timestamp?
    /// Whether what is said is looked at as it comes, and may be written over.
    let isTerminal: Bool
    /// The time of day, by which commands say how long ago something was: one for all that they show.
    let now: Timestamp

    init(
        output: @escaping ([UInt8]) -> Void, errors: @escaping ([UInt8]) -> Void,
        question: ((String) -> String?)? = nil, isTerminal: Bool = false,
        wait: @escaping (Duration) -> Timestamp? = { _ in nil }, now: Timestamp
    ) {
        self.output = output
        self.errors = errors
        self.question = question
        self.isTerminal = isTerminal
        self.wait = wait
        self.now = now
    }

    static var standard: Screen {
        let hasPerson = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1
        return Screen(
            output: { octets in write(octets, to: STDOUT_FILENO) },
            errors: { octets in write(octets, to: STDERR_FILENO) },
            question: hasPerson ? { text in ask(text) } : nil, isTerminal: isatty(STDOUT_FILENO) == 1,
            wait: { span in
                usleep(UInt32(clamping: span.wholeMilliseconds * 1000))
                return Clock.now
            }, now: Clock.now)
    }

    func say(_ line: String) { output(Array((line + "\n").utf8)) }
    func warn(_ line: String) { errors(Array((line + "\n").utf8)) }
    /// Without an end of line: for what is written over.
    func murmur(_ text: String) { errors(Array(text.utf8)) }
    func put(_ octets: [UInt8]) { output(octets) }

    /// Waits, for a command that goes on looking: the time then, or nil if nobody looks any more.
    func pause(_ span: Duration) -> Timestamp? { wait(span) }

    var hasPerson: Bool { question != nil }

    /// Whether a person says yes; nobody there means no.
    func confirms(_ text: String) -> Bool {
        guard let answer = question?("\(text) [y/N] ") else { return false }
        return ["y", "yes"].contains(answer.lowercased())
    }

    private static func ask(_ text: String) -> String? {
        write(Array(text.utf8), to: STDERR_FILENO)
        return readLine()
    }

    private static func write(_ octets: [UInt8], to descriptor: CInt) {
        var rest = octets[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            // A reader that went away (`| head`) wants no more.
            guard count > 0 else { exit(0) }
            rest = rest.dropFirst(count)
        }
    }
}
