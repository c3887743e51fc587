import MailValues
import QueueEngine

/// Answers of one batch, grouped by lane: a lane is woken once, however many of its callers are told.
struct Completions {
    private typealias Told = (completion: StoreCompletion, result: Result<Void, StoreError>)
    private var lanes: [(lane: any Lane, told: [Told])] = []

    mutating func add(
        _ lane: any Lane, _ completion: @escaping StoreCompletion, _ result: Result<Void, StoreError>
    ) {
        // A node has a handful of lanes: looking through them beats hashing.
        for index in lanes.indices where lanes[index].lane === lane {
            lanes[index].told.append((completion, result))
            return
        }
        lanes.append((lane, [(completion, result)]))
    }

    mutating func deliver() {
        for (lane, told) in lanes {
            lane.run { for each in told { each.completion(each.result) } }
        }
        lanes.removeAll(keepingCapacity: true)
    }
}
