import Membership

/// Any octets as what stands before a frame: refused, or the first sixteen as they are written again, whatever follows.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = UnsafeRawBufferPointer(start: data, count: count)
    guard let header = FrameHeader(octets) else { return 0 }
    precondition(
        header.octets.elementsEqual(octets.prefix(FrameHeader.sizeOctets)), "what is read is written again")
    precondition(
        FrameHeader(UnsafeRawBufferPointer(rebasing: octets.prefix(FrameHeader.sizeOctets - 1))) == nil,
        "a part of one is none")
    return 0
}
