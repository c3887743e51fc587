import Glibc

/// RocksDB's own CRC32C, in its place: the library calls it by this name through the dynamic linker, which takes a
/// program's definition before the library's.
///
/// Debian builds the library for every x86-64 and so with tables alone: they took a twelfth of the processor time of
/// an accepted message. The function is the same, bit for bit; a store written by either is read by the other. Where
/// the processor has no such instruction, the library's function is asked. Were it seen in this module alone, the
/// optimiser would hide it from the library. See decision 0009.
@_cdecl("_ZN7rocksdb6crc32c6ExtendEjPKcm")
package func extendChecksum(_ value: UInt32, _ octets: UnsafePointer<CChar>?, _ count: Int) -> UInt32 {
    if !CRC32C.hasInstruction, let ofLibrary { return ofLibrary(value, octets, count) }
    var checksum = CRC32C(after: value)
    checksum.update(UnsafeRawBufferPointer(start: octets, count: count))
    return checksum.value
}

private typealias ExtendChecksum = @convention(c) (UInt32, UnsafePointer<CChar>?, Int) -> UInt32

/// The definition that ours stands before: RTLD_NEXT, which is not imported.
private let ofLibrary: ExtendChecksum? = {
    let next = UnsafeMutableRawPointer(bitPattern: -1)
    guard let found = dlsym(next, "_ZN7rocksdb6crc32c6ExtendEjPKcm") else { return nil }
    return unsafeBitCast(found, to: ExtendChecksum.self)
}()
