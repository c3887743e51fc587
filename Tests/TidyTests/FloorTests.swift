import Testing

@Suite("Floors")
struct FloorTests {
    private let sources = House.files(in: "Sources", suffixes: [".swift"])

    @Test("no file imports a target of its own floor or of a higher one")
    func importsLeanDown() {
        #expect(House.floors.count > 10)
        for path in sources {
            let target = House.target(of: path)
            guard let floor = House.floors[target] else {
                Issue.record("\(path): no target \(target) in Package.swift")
                continue
            }
            for module in House.imports(of: path) {
                guard let other = House.floors[module], module != target else { continue }
                #expect(
                    other < floor, "\(path) imports \(module), which is on floor \(other), not below \(floor)"
                )
            }
        }
    }

    @Test("floors 0 to 3 import no sockets, no C and no Foundation")
    func lowerFloorsArePure() {
        let worldly: Set = [
            "Foundation", "NIOCore", "NIOPosix", "Glibc", "Dispatch", "Logging", "Hummingbird",
        ]
        let exceptions: Set = ["Cryptography", "OctetKernels", "Threads"]
        // protoc's plug-in imports Foundation for octets; what is written by hand stays clear of it.
        for path in sources where !path.contains("/Generated/") {
            let target = House.target(of: path)
            guard let floor = House.floors[target], floor <= 3, !exceptions.contains(target) else { continue }
            for module in House.imports(of: path) {
                #expect(!worldly.contains(module), "\(path) imports \(module)")
                #expect(
                    !module.hasPrefix("C") || House.floors[module] != 0,
                    "\(path) imports the C library \(module)")
            }
        }
    }

    @Test("nothing is public, and C modules stay inside their wrapper")
    func access() {
        for path in sources where !path.contains("/Generated/") {
            let text = House.text(path)
            #expect(
                text.firstMatch(
                    of:
                        #/(?m)^\s*(public|open) +(\w+ )*(struct|class|enum|actor|protocol|extension|func|let|var|init|typealias)\b/#
                ) == nil, "\(path) declares something public")
            #expect(
                text.firstMatch(of: #/(?m)^(package|public) import C[A-Z]\w+$/#) == nil
                    || !text.contains("import COpenSSL"), "\(path) passes a C module on")
        }
    }
}
