/// Commands in groups, without waiting for each reply (RFC 2920).
enum PipeliningExtension: ServiceExtension {
    static let keyword = "PIPELINING"
}
