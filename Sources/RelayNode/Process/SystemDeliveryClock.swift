import Delivery
package import MailValues

/// The real time, and real waiting.
package final class SystemDeliveryClock: DeliveryClock {
    package init() {}

    package var now: Timestamp { WallClock.now() }

    package func sleep(until moment: Timestamp) async {
        let wait = moment - now
        if wait > .zero { try? await Task.sleep(for: wait) }
    }
}
