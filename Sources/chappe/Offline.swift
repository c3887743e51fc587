import AdminProtocol
import RelayNode

/// What `chappe` does with a node's files itself, because it must work while no node runs.
enum Offline {
    static func checkConfiguration(at path: String) -> ConfigurationReport {
        ConfigurationCheck.report(on: path)
    }
}
