import Glibc
import Testing

@testable import QueueStorage

/// Damage at places that nobody chose.
@Suite(.serialized) struct RandomDamageTests {
    /// Enough to meet every kind of file in the gate; a hundred times as many are run by hand.
    static let rounds = getenv("CHAPPE_DAMAGE_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 60

    @Test(
        "whatever is done to whichever file, it is refused by name, said loudly, or without consequence; and repaired"
    )
    func survivesAnything() throws {
        let store = try DamagedStore(count: 4000, octets: 1500, removeEvery: 5)
        let seed = getenv("CHAPPE_DAMAGE_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1
        var random = SeededChance(state: seed)
        let files = store.scratch.files.filter {
            $0 == "CURRENT" || $0.hasPrefix("MANIFEST-") || $0.hasSuffix(".log") || $0.hasSuffix(".sst")
                || $0.hasSuffix(".blob")
        }
        #expect(files.contains { $0.hasSuffix(".sst") } && files.contains { $0.hasSuffix(".blob") })
        var refused = 0
        for round in 0..<Self.rounds {
            let file = files[Int(random.next() % UInt64(files.count))]
            let what = try damage(store, file, &random)
            let comment = Comment(rawValue: "seed \(seed), round \(round): \(file) \(what)")
            switch try store.open() {
            case .refused: refused += 1
            case .opened(let found, let isLoud):
                #expect(found.isSuperset(of: store.accepted) || isLoud, comment)
                #expect(found.isSubset(of: store.accepted), comment)
            }
            try store.damageAgain()
            let (left, _) = try store.repair()
            if what == "untouched" { #expect(left == store.accepted, comment) }
        }
        #expect(refused > Self.rounds / 4)
    }

    private func damage(
        _ store: DamagedStore, _ file: String, _ random: inout SeededChance
    ) throws -> String {
        let count = try store.size(file)
        let at = count == 0 ? 0 : Int(random.next() % UInt64(count))
        let bits = UInt8(1) << UInt8(random.next() % 8)
        let length = 1 + Int(random.next() % 5000)
        switch random.next() % 10 {
        case 0:
            try store.damage(file, nil)
            return "is gone"
        case 1, 2:
            try store.damage(file) { $0.removeLast($0.count - at) }
            return "ends at octet \(at) of \(count)"
        case 3:
            try store.damage(file) { for index in at..<min(at + length, $0.count) { $0[index] = 0 } }
            return "is zero from octet \(at) on for \(length)"
        case 4:
            try store.damage(file) { $0.append(contentsOf: Array(repeating: bits, count: length % 100)) }
            return "is \(length % 100) octets longer"
        default:
            guard count > 0 else {
                try store.damage(file) { _ in }
                return "untouched"
            }
            try store.damage(file) { $0[at] ^= bits }
            return "has octet \(at) of \(count) flipped by \(bits)"
        }
    }
}

struct SeededChance {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
