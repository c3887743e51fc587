import MailValues
import SMTPProtocol

/// Any octets as a path: what is taken must stand between its brackets, and read the same again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = UnsafeRawBufferPointer(start: data, count: count)
    for direction in [PathParser.Direction.reverse, .forward] {
        guard let path = try? PathParser.parse(octets, direction) else { continue }
        precondition(octets[path.inner.upperBound] == 0x3E, "a path ends with its bracket")
        guard let mailbox = path.mailbox else { continue }
        precondition(
            !mailbox.description.utf8.contains { $0 < 0x20 || $0 == 0x7F },
            "an address holds no control character")
        let again = Array("<\(mailbox)>".utf8)
        let second = again.withUnsafeBytes { try? PathParser.parse($0, direction) }
        precondition(second?.mailbox == mailbox, "an address reads the same again")
    }
    return 0
}
