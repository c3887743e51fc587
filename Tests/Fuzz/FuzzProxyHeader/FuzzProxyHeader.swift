import SMTPProtocol

/// Any octets as the beginning of a connection from a proxy: an answer once given does not change with what
/// follows.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = UnsafeRawBufferPointer(start: data, count: count)
    let whole = ProxyHeader.parse(octets)
    if case .header(_, let length) = whole {
        precondition(length <= count && length <= ProxyHeader.binaryOctets, "a header lies within what came")
        precondition(
            ProxyHeader.parse(UnsafeRawBufferPointer(rebasing: octets[..<length])) == whole,
            "it ends where it says")
        precondition(
            ProxyHeader.parse(UnsafeRawBufferPointer(rebasing: octets[..<(length - 1)])) == .incomplete,
            "and not before")
    }
    return 0
}
