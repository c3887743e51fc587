/// Where passwords are digested: away from the event loops.
package protocol PasswordWorkers: AnyObject, Sendable {
    /// False, and the job will never run, if too many wait already.
    func submit(_ job: @escaping @Sendable () -> Void) -> Bool
}
