package import MailValues

/// One entry as lists and decisions see it.
package struct EntryView: Sendable, Equatable {
    package enum Place: Sendable, Equatable { case waiting, ready, inFlight, held }

    package let id: QueueID
    package let domain: Domain
    package let place: Place
    /// The moment before which it rests; past for what is not waiting.
    package let due: Timestamp
    package let deadline: Timestamp
    package let failures: Int
    package let sizeOctets: Int
    package let priority: Int8

    init(_ record: EntryRecord, domain: Domain) {
        id = record.id
        self.domain = domain
        place =
            switch record.place {
            case .waiting: .waiting
            case .ready: .ready
            case .inFlight, .free: .inFlight
            case .held: .held
            }
        due = Timestamp(seconds: Int64(record.due))
        deadline = Timestamp(seconds: Int64(record.deadline))
        failures = Int(record.failures)
        sizeOctets = Int(record.sizeOctets)
        priority = record.priority
    }
}

extension Timestamp {
    /// Whole seconds since 1970, not before this moment.
    var wholeSecondsUp: UInt32 { UInt32(clamping: (milliseconds + 999).quotientFloor(1000)) }
    /// Whole seconds since 1970, not after this moment.
    var wholeSecondsDown: UInt32 { UInt32(clamping: milliseconds.quotientFloor(1000)) }
}

extension Int64 {
    fileprivate func quotientFloor(_ divisor: Int64) -> Int64 {
        self >= 0 ? self / divisor : -((-self + divisor - 1) / divisor)
    }
}
