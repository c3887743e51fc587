import MailValues

@testable import Membership

/// Any octets as a frame: refused, or a frame that is written and read again as the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let frame = try? Frame(decoding: Array(UnsafeBufferPointer(start: data, count: count))) else {
        return 0
    }
    let again = try? Frame(decoding: frame.octets)
    precondition(again == frame, "what is written is read again")
    return 0
}
