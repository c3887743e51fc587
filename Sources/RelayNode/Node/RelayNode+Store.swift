package import AdminProtocol
import Glibc
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
                throw AdminProblem(
                    .badRequest, "a backup needs a directory", advice: "chappe store backup DIR")
            }
            guard access(directory, F_OK) != 0 else {
                throw AdminProblem(.refused, "\(directory) exists already", advice: "name one that does not")
            }
            do throws(StoreError) {
                try await withTaskExecutorPreference(DiskExecutor.shared) { () async throws(StoreError) in
                    try store.backup(to: directory)
                }
            } catch {
                throw AdminProblem(
                    .refused, "no copy was made: \(error.words)",
                    advice: "the folder above must exist, and its owner be the node's user")
            }
            return StoreTaskAnswer(
                task: task, isSound: true,
                lines: ["written to \(directory)", "a node that is started on it finds every message held"])
        case .verify:
            return await verify()
        case .upgrade:
            return StoreTaskAnswer(
                task: task, isSound: true,
                lines: ["format \(store.format) is the newest that this version writes"])
        }
    }

    /// Every envelope, then every checksum in tables and blob files.
    private func verify() async -> StoreTaskAnswer {
        await withTaskExecutorPreference(DiskExecutor.shared) {
            var messages = 0
            do throws(StoreError) {
                try store.scan { _ in
                    messages += 1
                    return true
                }
            } catch {
                return StoreTaskAnswer(
                    task: .verify, isSound: false,
                    lines: [error.words, "stop the node, then `chappe store repair`"])
            }
            var octets = 0
            let statistics = store.examine { read in
                octets += read
                return true
            }
            var lines = [
                "\(messages) envelopes were read",
                "the checksums of \(octets >> 20) MiB in tables and blob files were compared",
            ]
            lines += statistics.damages.map { "damaged: \($0)" }
            if statistics.damageCount > statistics.damages.count {
                lines.append("and \(statistics.damageCount - statistics.damages.count) more")
            }
            lines.append(
                statistics.damageCount == 0
                    ? "everything is as it was written" : "stop the node, then `chappe store repair`")
            return StoreTaskAnswer(task: .verify, isSound: statistics.damageCount == 0, lines: lines)
        }
    }
}
