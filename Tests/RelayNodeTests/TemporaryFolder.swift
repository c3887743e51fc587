import Glibc
import Testing

/// A folder of the test's own, gone with it.
func withFolder(_ body: (String) throws -> Void) throws {
    var name = Array("/tmp/chappe-test-XXXXXX".utf8CString)
    try #require(mkdtemp(&name) != nil)
    let folder = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer {
        for entry in names(in: folder) { remove("\(folder)/\(entry)") }
        rmdir(folder)
    }
    try body(folder)
}

func names(in folder: String) -> [String] {
    guard let listing = opendir(folder) else { return [] }
    defer { closedir(listing) }
    var names: [String] = []
    while let entry = readdir(listing) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}
