/// Replies carry a status of three numbers (RFC 2034).
enum EnhancedStatusCodesExtension: ServiceExtension {
    static let keyword = "ENHANCEDSTATUSCODES"
}
