package import MailValues

/// The time, and waiting for it.
package protocol DeliveryClock: AnyObject, Sendable {
    var now: Timestamp { get }
    /// Returns at that moment, or early when the task is cancelled.
    func sleep(until moment: Timestamp) async
}
