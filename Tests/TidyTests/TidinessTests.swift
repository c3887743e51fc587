import Testing

@Suite("Tidiness")
struct TidinessTests {
    private let all =
        House.files(in: "Sources", suffixes: [".swift", ".md", ".h", ".modulemap", ".proto"])
        + House.files(in: "Tests", suffixes: [".swift", ".smtp", ".md"])
        + House.files(in: "ops", suffixes: [""]) + House.files(in: "cluster", suffixes: [""])

    @Test("no file names a path of the machine it was written on")
    func noMachinePaths() {
        let marks = ["/" + "work/", "/" + "root/", "/home" + "/"]
        for path in all {
            let text = House.text(path)
            for mark in marks { #expect(!text.contains(mark), "\(path) holds \(mark)") }
        }
    }

    @Test("every Swift file declares something")
    func noDeadFiles() {
        let files =
            House.files(in: "Sources", suffixes: [".swift"]) + House.files(in: "Tests", suffixes: [".swift"])
        #expect(files.count > 50)
        for path in files {
            let declares = House.text(path).firstMatch(
                of:
                    #/(?m)^\s*(@\w+(\(.*\))?\s+)*(package |private |fileprivate |internal |final |indirect )*(struct|class|enum|actor|protocol|extension|func|let|var|typealias) /#
            )
            #expect(declares != nil, "\(path) declares nothing")
        }
    }

    @Test("no test sleeps or is switched off")
    func noSleepingTests() {
        let marks = ["Task" + ".sleep", "Thread" + ".sleep", "usl" + "eep(", ".dis" + "abled("]
        for path in House.files(in: "Tests", suffixes: [".swift"]) {
            let text = House.text(path)
            for mark in marks { #expect(!text.contains(mark), "\(path) holds \(mark)") }
        }
    }

    @Test(
        "every target has its tests",
        arguments: House.floors.keys.filter { !$0.hasPrefix("C") || $0 == "Cryptography" })
    func everyTargetHasTests(_ target: String) {
        let doors: Set = ["chapped", "chappe", "benchmarks", "simulate"]
        guard !doors.contains(target) else { return }
        #expect(
            !House.files(in: "Tests/\(target)Tests", suffixes: [".swift"]).isEmpty, "no tests for \(target)")
    }
}
