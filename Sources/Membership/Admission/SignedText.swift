import MailValues

/// The octets under a signature: what for, then parts, each with its length, so that no two texts look alike.
struct SignedText {
    /// What a signature is for. No key signs two of them with the same beginning.
    enum Purpose: String {
        case permit = "chappe permit 1"
        case admission = "chappe admission 1"
        case door = "chappe door 1"
        case linkKey = "chappe link key 1"
        case facts = "chappe facts 1"
        case order = "chappe order 1"
    }

    private(set) var octets: [UInt8]

    init(_ purpose: Purpose) {
        octets = Array(purpose.rawValue.utf8)
        octets.append(0)
    }

    mutating func add(_ part: some Collection<UInt8>) {
        add(UInt64(part.count))
        octets.append(contentsOf: part)
    }

    mutating func add(_ number: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            octets.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}
