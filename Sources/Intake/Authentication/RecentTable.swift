/// A dictionary that forgets: at most twice `capacity` entries, of which the least recently written go first.
///
/// Two generations: when the young one is full, it becomes the old one and the old one is dropped. No entry
/// is searched for, whatever a peer makes us write.
struct RecentTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { young.count + old.count }

    subscript(key: Key) -> Value? {
        get { young[key] ?? old[key] }
        set {
            guard let newValue else {
                young[key] = nil
                old[key] = nil
                return
            }
            if young.count >= capacity && young[key] == nil {
                old = young
                young = [:]
            }
            young[key] = newValue
        }
    }
}
