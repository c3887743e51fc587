/// How much fits in one transaction and in one session (RFC 9422).
enum LimitsExtension: ServiceExtension {
    static let keyword = "LIMITS"

    static func line(_ options: SessionOptions, _ situation: SessionSituation) -> String? {
        let mail = options.limits.transactionCount.map { "MAILMAX=\($0) " } ?? ""
        return "LIMITS \(mail)RCPTMAX=\(options.limits.recipientCount)"
    }
}
