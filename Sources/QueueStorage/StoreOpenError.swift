/// Why a store was not opened. Each case names what is wrong and what to do about it.
package enum StoreOpenError: Error, Sendable, Equatable {
    /// Another process has it open.
    case locked(directory: String)
    /// Written by a newer version of ours.
    case formatTooNew(found: UInt32, known: UInt32)
    /// Octets are not what was written. Opening would leave a hole, so it is not opened.
    case damaged(file: String, detail: String)
    /// There is no store here, and none was to be made.
    case missing(directory: String)
    /// The disk or the system said no.
    case failed(detail: String)
}

extension StoreOpenError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .locked(let directory):
            "the store in \(directory) is in use by another process"
        case .formatTooNew(let found, let known):
            "the store has format \(found), this version knows up to \(known): "
                + "install the newer version again"
        case .damaged(let file, let detail):
            "the store is damaged: \(file): \(detail). It was not opened, so that nothing is lost unseen; "
                + "`chappe store repair` opens what can be read and says what cannot"
        case .missing(let directory):
            "there is no store in \(directory)"
        case .failed(let detail):
            "the store could not be opened: \(detail)"
        }
    }
}
