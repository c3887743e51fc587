/// How much room the store needs for what it has already promised. Octets throughout.
///
/// RocksDB can neither record nor free anything on a full disk: it must write to forget. So intake ends while
/// there is room for the end of everything queued, and deliveries end while there is room to open the store
/// again.
struct RoomPolicy: Equatable, Sendable {
    /// What the store holds at this moment.
    struct Usage: Equatable, Sendable {
        var waitingMessages = 0
        /// In memory and log only; to be written out once more.
        var unwrittenOctets = 0
        /// Tables without blobs: what one full compaction writes anew.
        var tableOctets = 0
    }

    struct Verdict: Equatable, Sendable {
        var mayTakeMail: Bool
        var mayDeliver: Bool
        var mayHoldBallast: Bool
    }

    /// For each queued message: progress of an attempt or two, its removal, and their lines in the ledger, in
    /// log and table.
    static let octetsPerMessage = 2048

    /// A log of its own, options, a manifest, the first blocks of a write-ahead log.
    static let octetsToOpen = 512 << 10

    /// Set aside as a file on the disk, and given up when it is full.
    let ballastOctets: Int

    /// A new log, a buffer being written out, and as much again for the tables' and the manifest's small
    /// change.
    init(_ options: StoreOptions) {
        ballastOctets = 2 * options.contentBufferOctets + options.smallBufferOctets + (1 << 20)
    }

    var deliveryFloor: Int { ballastOctets }

    func intakeFloor(_ usage: Usage) -> Int {
        deliveryFloor + usage.waitingMessages * Self.octetsPerMessage + usage.unwrittenOctets
            + usage.tableOctets
    }

    /// `wasTaking` gives the border a width, so that intake does not flutter.
    func judge(freeOctets: Int, usage: Usage, holdsBallast: Bool, wasTaking: Bool) -> Verdict {
        let floor = intakeFloor(usage)
        let wanted = wasTaking ? floor : floor + floor / 8
        return Verdict(
            mayTakeMail: freeOctets >= wanted && holdsBallast,
            mayDeliver: freeOctets + (holdsBallast ? ballastOctets : 0) >= deliveryFloor / 2,
            mayHoldBallast: holdsBallast
                ? freeOctets >= deliveryFloor / 2 : freeOctets >= floor + ballastOctets)
    }
}
