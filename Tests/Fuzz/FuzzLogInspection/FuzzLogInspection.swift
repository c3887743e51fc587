@testable import QueueStorage

/// Any octets as a log, a manifest, a block of a table, a record of a blob file: a finding or none, and never
/// a step beyond the end.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = UnsafeRawBufferPointer(start: data, count: count)
    for checksAll in [false, true] {
        var inspection = LogInspection(.writeAhead, checksAll: checksAll)
        _ = inspection.next("a", octets)
        _ = inspection.next("b", octets)
    }
    var inspection = LogInspection(.manifest)
    _ = inspection.next("m", octets)
    _ = Manifest(octets)?.blobs
    _ = Manifest.Edit(octets)
    var entries = LogEntries()
    entries.read(octets)
    precondition(entries.unreadableOctets <= count, "no octet is unreadable twice")
    if var batch = BatchReader(octets) { while batch.next() != nil {} }
    if let block = TableBlock(stored: octets) {
        _ = block.handles
        _ = block.forEach { key, value in _ = StoredEntry(internalKey: key, value: value) }
    }
    _ = LZ4Block.decoded(octets)
    _ = BlobFile.RecordHead(octets)
    return 0
}
