package import AdminProtocol
import Cryptography
import Glibc
import MailValues
import QueueEngine
import QueueStorage
import Telemetry

extension RelayNode {
    /// Opens the queue, with what it knows of a cluster.
    ///
    /// † A copy of another node's store holds what that node delivers. So what a store has queued under another identity than
    /// ours is held, like that of a restored one, until somebody has looked at it.
    static func openStore(
        _ configuration: Configuration, now: Timestamp
    ) throws(NodeError) -> (RocksQueue, ClusterStore.Content?) {
        let store = try open(configuration, now: now)
        guard let content = try clusterContent(of: store) else { return (store, nil) }
        // Who it is cannot be found out: the cluster's part says so when it starts.
        let identity = try? ClusterKeys(folder: configuration.dataDirectory).identity().node
        guard let identity, content.isForeign(to: identity) else { return (store, content) }
        let reason = "queued under another node's key: that node may have delivered it"
        guard store.holdAtNextOpening(by: "identity", reason: reason) else {
            throw NodeError("the store: it was used by another node, and could not be held for this one")
        }
        store.close()
        return (try open(configuration, now: now), content)
    }

    private static func open(_ configuration: Configuration, now: Timestamp) throws(NodeError) -> RocksQueue {
        do {
            return try RocksQueue.open(
                directory: configuration.dataDirectory + "/queue",
                options: NodePlan.store(configuration.queue), now: now)
        } catch { throw .part("store", error) }
    }

    private static func clusterContent(of store: RocksQueue) throws(NodeError) -> ClusterStore.Content? {
        do { return try ClusterStore(store, lane: DispatchLane.shared).load() } catch {
            throw NodeError("the store: \(error.words); run `chappe store verify`")
        }
    }

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
