/// From clear to encrypted (RFC 3207); `ServerSession` speaks it.
enum StartTLSExtension: ServiceExtension {
    static let keyword = "STARTTLS"

    static func isEnabled(_ options: SessionOptions) -> Bool { options.tls == .startTLS }

    static func line(_ options: SessionOptions, _ situation: SessionSituation) -> String? {
        situation.contains(.encrypted) ? nil : keyword  // RFC 3207 §4.2
    }
}
