import AdminClient
import AdminProtocol
import ArgumentParser

/// Why a command could not be carried out: what, where, and what to do about it.
struct Complaint: Error {
    let message: String
    let outcome: Outcome

    init(_ message: String, _ outcome: Outcome = .refused) {
        self.message = message
        self.outcome = outcome
    }

    init(_ failure: AdminClient.Failure) {
        switch failure {
        case .unreachable(let path, let reason):
            let permission = reason == "Permission denied"
            let advice =
                permission ? "are you in the group that owns it (chappe)?" : "is chappe.service running?"
            self.init("cannot reach the node at \(path) (\(reason)): \(advice)", .unreachable)
        case .notUnderstood(let path, let detail):
            self.init("what answers at \(path) makes no sense: \(detail)", .unreachable)
        case .problem(let problem):
            self.init(problem)
        }
    }

    private init(_ problem: AdminProblem) {
        switch problem.code {
        case .badRequest: self.init(problem.description, .usage)
        case .notFound, .internalError: self.init(problem.description, .partial)
        case .forbidden, .refused: self.init(problem.description, .refused)
        case .unavailable: self.init(problem.description, .unreachable)
        }
    }

    /// Runs `body`; what it throws is told, and becomes an outcome.
    static func caught(on screen: Screen, _ body: () throws -> Outcome) -> Outcome {
        do {
            return try body()
        } catch let failure as AdminClient.Failure {
            return Complaint(failure).told(on: screen)
        } catch let complaint as Complaint {
            return complaint.told(on: screen)
        } catch {
            return Complaint("\(error)").told(on: screen)
        }
    }

    private func told(on screen: Screen) -> Outcome {
        screen.warn("chappe: \(message)")
        return outcome
    }
}
