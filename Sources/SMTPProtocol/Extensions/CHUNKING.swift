/// Messages in counted chunks (RFC 3030 §2); `ServerSession+Chunks` speaks it.
enum ChunkingExtension: ServiceExtension {
    static let keyword = "CHUNKING"
}
