import QueueEngine

extension StoreError {
    /// As operators read it.
    var words: String {
        switch self {
        case .full: "no room"
        case .sick(let detail): "the store cannot write: \(detail)"
        case .damaged(let detail): "damaged: \(detail)"
        }
    }
}
