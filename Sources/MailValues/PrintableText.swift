extension StringProtocol {
    /// What a stranger said, fit for headers, logs and reports: printable ASCII, at most `limit` octets;
    /// everything else is `?`.
    package func printable(limit: Int) -> String {
        String(decoding: utf8.prefix(limit).map { $0 >= 0x20 && $0 < 0x7F ? $0 : 0x3F }, as: UTF8.self)
    }
}
