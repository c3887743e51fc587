internal import COpenSSL
internal import NIOCore

/// The wire as OpenSSL sees it: two buffers of NIO, one for each direction.
///
/// OpenSSL's own memory BIO keeps the size of the largest burst it ever held, and copies everything once
/// more. This one holds nothing while nothing is on its way: what came is read where NIO put it, and what
/// leaves is handed on whole.
final class BufferBIO {
    var inbound = ByteBuffer()
    var outbound = ByteBuffer()

    /// For `SSL_set_bio`, which takes over this one reference. It must not be used after this object is gone.
    func makeBIO() -> OpaquePointer? {
        guard let bio = BIO_new(Self.method) else { return nil }
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(bio, 1)
        return bio
    }

    /// Written once, read by all threads; OpenSSL never changes a method.
    nonisolated(unsafe) private static let method: OpaquePointer? = {
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "NIO buffers") else {
            return nil
        }
        BIO_meth_set_write(method) { bio, octets, count in
            guard let owner = BufferBIO.owner(of: bio), let octets, count > 0 else { return 0 }
            owner.outbound.writeBytes(UnsafeRawBufferPointer(start: octets, count: Int(count)))
            return count
        }
        BIO_meth_set_read(method) { bio, octets, count in
            guard let owner = BufferBIO.owner(of: bio), let octets, count > 0 else { return 0 }
            BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
            let taken = min(Int(count), owner.inbound.readableBytes)
            guard taken > 0 else {
                BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
                return -1
            }
            owner.inbound.readWithUnsafeReadableBytes { readable in
                UnsafeMutableRawPointer(octets).copyMemory(from: readable.baseAddress!, byteCount: taken)
                return taken
            }
            return CInt(taken)
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return method
    }()

    private static func owner(of bio: OpaquePointer?) -> BufferBIO? {
        BIO_get_data(bio).map { Unmanaged<BufferBIO>.fromOpaque($0).takeUnretainedValue() }
    }
}
