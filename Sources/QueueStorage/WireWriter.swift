/// Writes the protobuf wire form into one buffer that is used again for each value.
///
/// The generated code makes an object and an array per value; what every message pays for is written here by
/// hand, in the same form: a test compares the octets.
final class WireWriter {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 4096) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    /// What has been written, valid until the next call.
    var octets: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    func removeAll() { count = 0 }

    func octet(_ value: UInt8) {
        reserve(1)
        base[count] = value
        count += 1
    }

    /// A number field; zero is not written, as proto3 has it.
    func number(_ field: Int, _ value: UInt64) {
        guard value != 0 else { return }
        present(field, value)
    }

    /// An optional number field that is there.
    func present(_ field: Int, _ value: UInt64) {
        reserve(20)
        varint(UInt64(field) << 3)
        varint(value)
    }

    func flag(_ field: Int, _ value: Bool) { number(field, value ? 1 : 0) }

    /// A text field; the empty text is not written.
    func text(_ field: Int, _ value: String) {
        guard !value.utf8.isEmpty else { return }
        present(field, value)
    }

    func present(_ field: Int, _ value: String) {
        let done: Void? = value.utf8.withContiguousStorageIfAvailable {
            bytes(field, UnsafeRawBufferPointer($0))
        }
        if done == nil { Array(value.utf8).withUnsafeBytes { bytes(field, $0) } }
    }

    /// An octets field, written even when empty.
    func bytes(_ field: Int, _ value: UnsafeRawBufferPointer) {
        reserve(20 + value.count)
        varint(UInt64(field) << 3 | 2)
        varint(UInt64(value.count))
        append(value)
    }

    /// A message within the message.
    ///
    /// Its length goes before it and is known after it: one octet is left free, which nearly always suffices;
    /// else the body moves.
    @inline(__always)
    func nested(_ field: Int, _ body: () -> Void) {
        reserve(20)
        varint(UInt64(field) << 3 | 2)
        let start = count
        count += 1
        body()
        let length = count - start - 1
        guard length >= 0x80 else {
            base[start] = UInt8(truncatingIfNeeded: length)
            return
        }
        reserve(10)
        let extra = (63 - UInt64(length).leadingZeroBitCount) / 7
        (base + start + 1 + extra).update(from: base + start + 1, count: length)
        count = start
        varint(UInt64(length))
        count += length
    }

    private func append(_ value: UnsafeRawBufferPointer) {
        guard let source = value.baseAddress else { return }
        (base + count).update(from: source.assumingMemoryBound(to: UInt8.self), count: value.count)
        count += value.count
    }

    private func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            base[count] = UInt8(truncatingIfNeeded: rest) | 0x80
            count += 1
            rest >>= 7
        }
        base[count] = UInt8(truncatingIfNeeded: rest)
        count += 1
    }

    private func reserve(_ more: Int) {
        guard count + more > capacity else { return }
        let larger = max(capacity * 2, count + more)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.update(from: base, count: count)
        base.deallocate()
        base = moved
        capacity = larger
    }
}
