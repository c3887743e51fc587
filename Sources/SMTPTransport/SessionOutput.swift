import Glibc
import NIOCore

/// What a session says, on its way to its socket.
///
/// It goes straight there, as long as the socket takes it: a reply is a few dozen octets, and the way through the
/// channel would cost as much as the system's part of it. What the socket does not take at once goes by the
/// channel, and until that has left all else goes behind it. Where TLS stands between, everything does.
///
/// Lives on the event loop of its channel, where nothing closes the socket unless the channel is told in the same
/// step: what `isActive` says is true of the descriptor.
final class SessionOutput {
    private var channel: (any Channel)?
    private var descriptor: CInt?
    /// Writes that the channel has not finished.
    private(set) var writesInChannel = 0

    /// The channel is active. `isPlain`: nothing stands between the session and the socket.
    func begin(_ context: ChannelHandlerContext, isPlain: Bool) {
        guard isPlain else { return }
        channel = context.channel
        descriptor =
            (try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                of: NIOBSDSocket.Handle.self
            ) { $0 }) ?? nil
    }

    /// From here on something stands between, or the channel is gone.
    func end() {
        channel = nil
        descriptor = nil
    }

    func write(_ octets: UnsafeRawBufferPointer, _ context: ChannelHandlerContext) {
        guard let descriptor, let channel else {
            return context.writeAndFlush(NIOAny(ByteBuffer(bytes: octets)), promise: nil)
        }
        var rest = octets
        if writesInChannel == 0, channel.isActive {
            let count = send(
                descriptor, octets.baseAddress, octets.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
            if count == octets.count { return }
            // An error is the channel's to find, and to tell.
            if count > 0 { rest = UnsafeRawBufferPointer(rebasing: octets[count...]) }
        }
        let promise = context.eventLoop.makePromise(of: Void.self)
        writesInChannel += 1
        promise.futureResult.assumeIsolated().whenComplete { _ in self.writesInChannel -= 1 }
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: rest)), promise: promise)
    }
}
