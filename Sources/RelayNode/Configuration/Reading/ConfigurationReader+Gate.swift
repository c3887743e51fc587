import Intake
import MailValues

extension ConfigurationReader {
    func readGate(_ section: Section, into gate: inout GateConfiguration) {
        if section.has("protected") {
            let networks = section.list("protected", .network)
            for (network, place) in networks where network.prefixLength == 0 {
                problems.warning(
                    at: place, "\(section.display("protected")) holds the whole world: nobody is ever refused"
                )
            }
            gate.protected = networks.map(\.value)
        }
        section.read("follow", .flag, into: &gate.follows)
        section.read("delay", .duration(.milliseconds(100) ... .seconds(60)), into: &gate.slowing.delay)
        section.read("waiting", .count(0...100_000), into: &gate.slowing.waitingMost)
        section.finish()
    }
}
