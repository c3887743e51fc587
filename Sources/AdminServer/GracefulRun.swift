import Logging
import ServiceLifecycle

/// Runs a server until it ends; cancelling lets the requests in hand end first.
///
/// Cancelled outright, the library's server leaves a connection that is accepted in that moment to nobody, and
/// the library ends the process for it.
///
/// - Parameter grace: after which requests in hand are cut off.
func runUntilCancelled(_ service: some Service, grace: Duration = .seconds(5)) async throws {
    var configuration = ServiceGroupConfiguration(services: [service], logger: .silent)
    configuration.maximumGracefulShutdownDuration = grace
    let group = ServiceGroup(configuration: configuration)
    // The task does not inherit the cancellation, which is the point of it.
    let running = Task { try await group.run() }
    try await withTaskCancellationHandler {
        try await running.value
    } onCancel: {
        Task { await group.triggerGracefulShutdown() }
    }
}
