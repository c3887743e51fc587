import AdminClient
import AdminProtocol
import ArgumentParser
import QueueStorage

/// `chappe store verify [DIR]`
struct StoreVerifyCommand: NodeCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Reads the whole store, compares every checksum, and says whether it is sound.",
        discussion: """
            Without a directory the node does it, while it works. With one, the store in it is read here: no node may have
            it open. Nothing is changed.
            """)

    @OptionGroup var node: NodeOptions
    @OptionGroup var form: OutputOptions
    @Argument(help: "The directory of a store that no node has open.") var directory: String?

    func perform(with client: AdminClient, on screen: Screen) throws -> Outcome {
        guard let directory else {
            let patient = AdminClient(path: client.path, timeout: .seconds(3600))
            return try StorePage.tell(patient.send(StoreTaskRequest(), to: "store/verify"), form, on: screen)
        }
        let gauge = Gauge(on: screen)
        let verification: StoreVerification
        do {
            verification = try RocksQueue.verify(directory: directory) { octets, all in
                gauge.show("\(Wording.octets(octets)) of \(Wording.octets(all)) …")
            }
        } catch {
            gauge.clear()
            throw Complaint(error.description)
        }
        gauge.clear()
        return try StorePage.tell(Self.answer(verification), form, on: screen)
    }

    static func answer(_ verification: StoreVerification) -> StoreTaskAnswer {
        var lines = [
            "\(Wording.count(verification.tables, "table")), \(Wording.count(verification.blobFiles, "blob file")) and "
                + "\(Wording.count(verification.logs, "log")) were read, \(Wording.octets(verification.octets))"
        ]
        lines += verification.findings.map { "damaged: \($0)" }
        let isSound = verification.findings.isEmpty
        lines.append(
            isSound ? "everything is as it was written" : "`chappe store repair` gets out what can be read")
        return StoreTaskAnswer(task: .verify, isSound: isSound, lines: lines)
    }
}
