/// How a stored value begins.
enum StoredValue {
    /// The version of every value that this version of ours writes, and the newest that it reads.
    static let version: UInt8 = 1

    /// The octets behind the version; throws what is wrong with it.
    static func body(of value: UnsafeRawBufferPointer) throws(StoredValueError) -> UnsafeRawBufferPointer {
        guard let found = value.first else { throw .empty }
        guard found == version else { throw .unknownVersion(found) }
        return UnsafeRawBufferPointer(rebasing: value[1...])
    }
}

enum StoredValueError: Error, Equatable {
    case empty
    case unknownVersion(UInt8)
    /// The protobuf form does not parse, or a number is out of its range.
    case malformed(String)
}

extension StoredValueError: CustomStringConvertible {
    var description: String {
        switch self {
        case .empty: "an empty value"
        case .unknownVersion(let version):
            "a value of version \(version), this version knows \(StoredValue.version)"
        case .malformed(let what): "a malformed \(what)"
        }
    }
}
