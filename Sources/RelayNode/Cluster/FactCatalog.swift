import Convergence
import Filtering
import Membership
import Reputation

/// The kinds of facts that a node says and hears: one line for each, whoever owns it.
enum FactCatalog {
    static let table: FactTable = {
        let table = FactTable([
            OrderFact.description,
            MemberLoad.description,
            AdmissionFact.description,
            MemberFact.description,
            ReputationFact.description,
            BlockFact.description,
            VerdictFact.description,
        ])
        guard let table else { preconditionFailure("two kinds of facts share a number") }
        return table
    }()
}
