/// A dictionary that forgets: at least the latest `capacity / 2` keys stay, at most `capacity` are held.
///
/// Two generations instead of a list in order of use: a look-up costs one or two hashes and no bookkeeping.
struct RecentMap<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    private let generationSize: Int

    init(capacity: Int) {
        precondition(capacity >= 2, "a map of two generations holds at least two")
        generationSize = capacity / 2
    }

    var count: Int { young.count + old.count }

    func value(_ key: Key) -> Value? { young[key] ?? old[key] }

    mutating func set(_ key: Key, _ value: Value) {
        if young.count >= generationSize && young[key] == nil {
            old = young
            young = [:]
        }
        old[key] = nil
        young[key] = value
    }

    mutating func remove(_ key: Key) {
        young[key] = nil
        old[key] = nil
    }
}
