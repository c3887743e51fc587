package import AdminProtocol
import Dispatch
import MailValues
import QueueEngine
import QueueStorage
import Telemetry

extension RelayNode {
    package func store(
        _ task: StoreTask, _ request: StoreTaskRequest, by caller: Caller
    ) async throws(AdminProblem) -> StoreTaskAnswer {
        var event = Event(.store, at: WallClock.now())
        event.add("action", task.rawValue)
        event.add("by", caller.recordName)
        event.add("directory", request.directory)
        events.write(event.encoded())
        switch task {
        case .backup:
            guard let directory = request.directory else {
                throw AdminProblem(.badRequest, "a backup needs a directory", advice: "chappe store backup DIR")
            }
            return try await onDisk(task) { store throws(StoreError) in
                try store.backup(to: directory)
                return ["written to \(directory)", "what is opened from it starts held"]
            }
        case .verify:
            return try await onDisk(task) { store throws(StoreError) in
                var messages = 0
                try store.scan { _ in
                    messages += 1
                    return true
                }
                return ["\(messages) envelopes were read, and their checksums are right"]
            }
        case .upgrade:
            return StoreTaskAnswer(
                task: task, isSound: true, lines: ["format \(store.format) is the newest that this version writes"])
        }
    }

    /// Runs on a thread that may wait for the disk.
    private func onDisk(
        _ task: StoreTask, _ body: @escaping @Sendable (RocksQueue) throws(StoreError) -> [String]
    ) async throws(AdminProblem) -> StoreTaskAnswer {
        let result = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [store] in
                continuation.resume(returning: Result { () throws(StoreError) in try body(store) })
            }
        }
        switch result {
        case .success(let lines): return StoreTaskAnswer(task: task, isSound: true, lines: lines)
        case .failure(let error):
            return StoreTaskAnswer(
                task: task, isSound: false, lines: ["\(error)", "stop the node, then `chappe store repair`"])
        }
    }
}
