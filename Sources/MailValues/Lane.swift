/// A thread of its own that runs jobs one after another: an event loop, as those see it that may not know
/// one.
///
/// Whoever answers from another thread hands the answers of one lane over together: waking a lane is the dear
/// part.
package protocol Lane: AnyObject, Sendable {
    func run(_ job: @escaping @Sendable () -> Void)
}
