import DNSRecords
import MailValues

/// What is asked for: a normalised name and a type.
struct LookupKey: Hashable, Sendable {
    let name: String
    let type: RecordType
}

/// The records of one answer, read.
enum Records: Sendable, Equatable {
    case mx([MXRecord])
    case addresses([IPAddress])
    case names([String])
    case texts([[UInt8]])
    case tlsa([TLSARecord])

    /// Reads what libunbound gave; records that cannot be read are left out.
    init(_ type: RecordType, data: [[UInt8]]) {
        switch type {
        case .a: self = .addresses(data.compactMap(RecordData.a))
        case .aaaa: self = .addresses(data.compactMap(RecordData.aaaa))
        case .mx: self = .mx(data.compactMap(RecordData.mx))
        case .ptr, .cname: self = .names(data.compactMap(RecordData.name))
        case .txt: self = .texts(data.compactMap(RecordData.txt))
        case .tlsa: self = .tlsa(data.compactMap(RecordData.tlsa))
        }
    }

    var isEmpty: Bool {
        switch self {
        case .mx(let values): values.isEmpty
        case .addresses(let values): values.isEmpty
        case .names(let values): values.isEmpty
        case .texts(let values): values.isEmpty
        case .tlsa(let values): values.isEmpty
        }
    }
}

/// How a look-up ended.
struct LookupOutcome: Sendable {
    var result: Result<Records, DNSError>
    var isSecure = false
    /// From the moment of the answer.
    var timeToLive: Duration = .zero

    static func temporary(_ detail: String) -> LookupOutcome {
        LookupOutcome(result: .failure(.temporary(detail: detail)))
    }
}
