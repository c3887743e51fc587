import EventRecording
import Glibc
import MailValues
import Telemetry
import Testing

/// A directory of its own for one test, removed at its end.
private final class Directory {
    let path: String

    init() {
        var template = Array("/tmp/chappe-events-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template))
    }

    deinit {
        for name in ["events", "events.1"] { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    func lines(of name: String) -> [String] {
        guard let file = fopen("\(path)/\(name)", "r") else { return [] }
        defer { fclose(file) }
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { octets += buffer[..<count] }
        return String(decoding: octets, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

@Suite("The event file")
struct EventFileTests {
    private let directory = Directory()

    private func open(_ change: (inout EventFile.Settings) -> Void = { _ in }) throws -> EventFile {
        var settings = EventFile.Settings(path: "\(directory.path)/events")
        change(&settings)
        return try EventFile(settings, now: { Timestamp(milliseconds: 0) })
    }

    @Test("holds every line, in order, after close")
    func close() throws {
        let file = try open()
        let expected = (0..<5000).map { "line \($0)" }
        for line in expected { file.write(Array(line.utf8)) }
        file.close()
        #expect(directory.lines(of: "events") == expected)
        #expect(file.counts == (5000, 0))
    }

    @Test("holds what was written before flush returns, and goes on")
    func flush() throws {
        let file = try open { $0.gatherMilliseconds = 60_000 }
        file.write(Array("one".utf8))
        file.flush()
        #expect(directory.lines(of: "events") == ["one"])
        file.flush()
        file.write(Array("two".utf8))
        file.close()
        #expect(directory.lines(of: "events") == ["one", "two"])
    }

    @Test("goes on behind what an earlier process wrote")
    func appends() throws {
        for line in ["one", "two"] {
            let file = try open()
            file.write(Array(line.utf8))
            file.close()
        }
        #expect(directory.lines(of: "events") == ["one", "two"])
    }

    @Test("after reopen, old lines are in the moved file and new ones in the new file")
    func reopen() throws {
        let file = try open { $0.gatherMilliseconds = 60_000 }
        file.write(Array("old".utf8))
        rename("\(directory.path)/events", "\(directory.path)/events.1")
        file.reopen()
        file.flush()
        file.write(Array("new".utf8))
        file.close()
        #expect(directory.lines(of: "events.1") == ["old"])
        #expect(directory.lines(of: "events") == ["new"])
    }

    @Test("keeps the old file when the path cannot be opened, and says so there")
    func reopenFails() throws {
        let file = try open()
        file.write(Array("old".utf8))
        rename("\(directory.path)/events", "\(directory.path)/events.1")
        mkdir("\(directory.path)/events", 0o700)
        file.reopen()
        file.flush()
        file.write(Array("new".utf8))
        file.close()
        rmdir("\(directory.path)/events")
        let lines = directory.lines(of: "events.1")
        #expect(lines.count == 3)
        #expect(lines.first == "old" && lines.last == "new")
        #expect(lines.contains { $0.contains("event file not reopened") && $0.contains("Is a directory") })
    }

    @Test("what does not fit is dropped, counted, and told in the file")
    func drops() throws {
        let file = try open {
            $0.gatherMilliseconds = 60_000
            $0.waitingOctets = 100
        }
        for index in 0..<10 { file.write(Array("line \(index) \(String(repeating: "x", count: 42))".utf8)) }
        file.close()
        let lines = directory.lines(of: "events")
        #expect(lines.count == 3)
        #expect(
            lines.last == """
                {"at":"1970-01-01T00:00:00.000+00:00","kind":"lifecycle","event":"events dropped","count":8}
                """)
        #expect(file.counts == (2, 8))
    }

    @Test("lines that come after close are dropped, and a second close does nothing")
    func afterClose() throws {
        let file = try open()
        file.close()
        file.write(Array("late".utf8))
        file.close()
        #expect(directory.lines(of: "events").isEmpty)
        #expect(file.counts == (0, 1))
    }

    @Test("a path that cannot be opened is refused by name")
    func refused() {
        #expect(
            throws: EventFile.Failure.cannotOpen(path: "/nowhere/events", reason: "No such file or directory")
        ) {
            try EventFile(EventFile.Settings(path: "/nowhere/events"))
        }
    }

    @Test("lines of many threads are never mixed")
    func threads() async throws {
        let file = try open { $0.promptOctets = 1000 }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask { for index in 0..<500 { file.write(Array("\(task)-\(index)".utf8)) } }
            }
        }
        file.close()
        let lines = directory.lines(of: "events")
        #expect(Set(lines) == Set((0..<8).flatMap { task in (0..<500).map { "\(task)-\($0)" } }))
        #expect(lines.count == 4000)
    }
}
