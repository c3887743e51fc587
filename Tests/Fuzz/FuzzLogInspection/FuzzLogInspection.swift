@testable import QueueStorage

/// Any octets as a log: a finding or none, and never a record beyond the end.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = UnsafeRawBufferPointer(start: data, count: count)
    for checksAll in [false, true] {
        var inspection = LogInspection(.writeAhead, checksAll: checksAll)
        _ = inspection.next("a", octets)
        _ = inspection.next("b", octets)
    }
    var manifest = LogInspection(.manifest)
    _ = manifest.next("m", octets)
    var salvage = LogSalvage()
    salvage.read(octets)
    precondition(salvage.unreadableOctets <= count, "no octet is unreadable twice")
    var batch = BatchReader(octets: octets, at: 0)
    while batch.next() != nil {}
    return 0
}
