import MailValues

/// What a leaving node has yet to give away: soonest due first.
struct LeavingQueue: Sendable {
    /// In order, latest first, once sorted.
    private var messages: [Leaver.Message] = []
    private var isSorted = true
    /// To be looked at again at this moment: an attempt was in hand.
    private var resting: [(message: Leaver.Message, until: Uptime)] = []
    private var ids: Set<QueueID> = []

    var isEmpty: Bool { ids.isEmpty }
    var count: Int { ids.count }
    var readyCount: Int { messages.count }

    mutating func add(_ message: Leaver.Message) {
        guard ids.insert(message.id).inserted else { return }
        messages.append(message)
        isSorted = false
    }

    /// The soonest due, at most so many messages and octets, but one at least.
    mutating func take(_ limit: Int, octets: Int) -> [Leaver.Message] {
        if !isSorted {
            messages.sort { $0.due == $1.due ? $0.id > $1.id : $0.due > $1.due }
            isSorted = true
        }
        var taken: [Leaver.Message] = []
        var sum = 0
        while taken.count < limit, let next = messages.last {
            if !taken.isEmpty && sum + next.octets > octets { break }
            sum += next.octets
            taken.append(next)
            ids.remove(next.id)
            messages.removeLast()
        }
        return taken
    }

    mutating func rest(_ message: Leaver.Message, until: Uptime) {
        guard ids.insert(message.id).inserted else { return }
        resting.append((message, until))
    }

    mutating func wake(now: Uptime) {
        guard resting.contains(where: { $0.until <= now }) else { return }
        messages += resting.filter { $0.until <= now }.map(\.message)
        resting.removeAll { $0.until <= now }
        isSorted = false
    }
}
