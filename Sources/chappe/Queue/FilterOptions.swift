import AdminProtocol
import ArgumentParser

/// Which messages are meant: those that fit everything that is given.
struct FilterOptions: ParsableArguments {
    @Argument(help: "Ids, or their beginnings.")
    var ids: [String] = []

    @Option(name: .customLong("from"), help: "The sender: an address, @domain, \"<>\", or a pattern with *.")
    var sender: String?

    @Option(
        name: .customLong("to"), help: "A recipient still waiting: an address, @domain, or a pattern with *.")
    var recipient: String?

    @Option(name: .long, help: "The domain of a recipient still waiting.")
    var domain: String?

    @Option(name: .long, help: "Accepted longer ago than this: 90s, 15m, 4h, 2d.")
    var olderThan: String?

    @Option(name: .long, help: "Accepted less long ago than this.")
    var youngerThan: String?

    @Option(name: .long, help: "waiting, active, deferred or held.")
    var state: String?

    @Option(name: .long, help: "The last reply holds this text.")
    var reply: String?

    @Flag(name: .long, help: "Every message.")
    var all = false

    /// One for each id, or one alone.
    var filters: [QueueFilter] {
        get throws {
            let pairs: [(String, String?)] = [
                ("sender", sender), ("recipient", recipient), ("domain", domain), ("olderThan", olderThan),
                ("youngerThan", youngerThan), ("state", state), ("reply", reply), ("all", all ? "true" : nil),
            ]
            do throws(AdminProblem) {
                let common = try QueueFilter(
                    pairs: pairs.compactMap { name, value in value.map { (name, $0) } })
                guard !ids.isEmpty else { return [common] }
                guard !all else { throw AdminProblem(.badRequest, "either ids or --all") }
                var filters: [QueueFilter] = []
                for id in ids {
                    var filter = common
                    filter.id = try QueueFilter(pairs: [("id", id)]).id
                    filters.append(filter)
                }
                return filters
            } catch {
                throw Complaint(error.description, .usage)
            }
        }
    }
}
