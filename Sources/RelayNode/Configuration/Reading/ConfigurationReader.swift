import MailValues
import QueueEngine
import RoutingPolicy
import SMTPProtocol
import Yams

/// Reads the whole file, section by section; each section has a file of its own beside this one.
struct ConfigurationReader {
    let problems: ProblemList
    let paths: PathReader

    /// nil only where not even the names are there; whatever else is wrong is in `problems`.
    func read(_ root: Node?) -> Configuration? {
        let top = Section(root, path: "", problems: problems)
        let hostname = top.required(
            "hostname", .domain, why: "the name of this node in DNS, which its greeting says")
        let postmaster = top.required(
            "postmaster", .mailbox, why: "every mail system has a human being to write to (RFC 5321 §4.5.1)")
        // Placeholders let the rest be read too, so that all mistakes show at once; they never leave this
        // function.
        var configuration = Configuration(
            hostname: hostname ?? Domain("invalid"),
            postmaster: postmaster ?? Mailbox(localPart: "postmaster", domain: Domain("invalid")))
        if let hostname, !hostname.name.contains(".") {
            problems.warning(
                at: top.place(of: "hostname"), "`hostname` has no dot: other systems will not believe it")
        }
        top.read("data-directory", paths.path, into: &configuration.dataDirectory)
        top.read("user", .shortName, into: &configuration.user)
        top.read("group", .shortName, into: &configuration.group)
        top.read("event-loops", .count(1...1024), into: &configuration.eventLoopCount)
        readTLS(top.section("tls"), into: &configuration.tls)
        readAuthentication(top.section("authentication"), into: &configuration.authentication)
        readIntake(top.section("limits"), into: &configuration.intake)
        readGate(top.section("gate"), into: &configuration.gate)
        readCredentials(top.section("credentials"), into: &configuration.credentials)
        readRelay(top.section("relay"), into: &configuration)
        readRoutes(top.section("routes"), into: &configuration)
        readDelivery(top.section("delivery"), into: &configuration)
        readDNS(top.section("dns"), into: &configuration.dns)
        readQueue(top.section("queue"), into: &configuration.queue)
        readAdmin(top.section("admin"), into: &configuration.admin)
        readCluster(top.section("cluster"), into: &configuration.cluster)
        readEvents(top.section("events"), into: &configuration.events)
        readShutdown(top.section("shutdown"), into: &configuration)
        // Last, because what a listener may do depends on the rest.
        readListeners(top, into: &configuration)
        top.finish()
        return hostname == nil || postmaster == nil ? nil : configuration
    }

    private func readShutdown(_ section: Section, into configuration: inout Configuration) {
        section.read("grace", .duration(.zero ... .seconds(3600)), into: &configuration.shutdownGrace)
        section.finish()
    }
}
