import MailValues

/// A destination domain's number in the scheduler, valid until `Scheduler.forgetIdleDomains` names it.
package struct DomainIndex: Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// The entries of one domain that are due, in the order in which they will go.
struct ReadyList: Sendable {
    var first: Slot = noSlot
    var last: Slot = noSlot
}

/// One destination domain.
struct DomainRecord: Sendable {
    var domain: Domain
    /// Urgent, ordinary and patient mail (RFC 6710 §3 has nineteen priorities; three lists keep every step
    /// constant).
    var urgent = ReadyList()
    var ordinary = ReadyList()
    var patient = ReadyList()
    var entryCount: UInt32 = 0
    var readyCount: UInt32 = 0
    var heldCount: UInt32 = 0
    var inFlightCount: UInt32 = 0
    var isUsed = true

    init(domain: Domain) { self.domain = domain }

    /// The list that entries of this priority stand in.
    subscript(priority: Int8) -> ReadyList {
        get { priority > 0 ? urgent : priority < 0 ? patient : ordinary }
        set {
            if priority > 0 {
                urgent = newValue
            } else if priority < 0 {
                patient = newValue
            } else {
                ordinary = newValue
            }
        }
    }
}

/// Domains by number: an entry holds four octets instead of a name.
struct DomainTable: Sendable {
    private(set) var records: ContiguousArray<DomainRecord> = []
    private var numbers: [Domain: UInt32] = [:]
    private var free: [UInt32] = []
    /// Domains without any entry; kept for a while, because the next message comes soon.
    private(set) var idleCount = 0

    subscript(index: UInt32) -> DomainRecord {
        _read { yield records[Int(index)] }
        _modify { yield &records[Int(index)] }
    }

    func number(of domain: Domain) -> UInt32? { numbers[domain] }

    mutating func intern(_ domain: Domain) -> UInt32 {
        if let number = numbers[domain] { return number }
        let number: UInt32
        if let reused = free.popLast() {
            records[Int(reused)] = DomainRecord(domain: domain)
            number = reused
        } else {
            number = UInt32(records.count)
            records.append(DomainRecord(domain: domain))
        }
        numbers[domain] = number
        idleCount += 1
        return number
    }

    mutating func entryAdded(_ index: UInt32) {
        if records[Int(index)].entryCount == 0 { idleCount -= 1 }
        records[Int(index)].entryCount += 1
    }

    mutating func entryRemoved(_ index: UInt32) {
        records[Int(index)].entryCount -= 1
        if records[Int(index)].entryCount == 0 { idleCount += 1 }
    }

    /// Forgets the domains that have no entry and for which `mayForget` agrees.
    mutating func forgetIdle(_ mayForget: (DomainIndex) -> Bool) {
        for index in records.indices where records[index].isUsed && records[index].entryCount == 0 {
            let number = UInt32(index)
            guard mayForget(DomainIndex(rawValue: number)) else { continue }
            numbers[records[index].domain] = nil
            records[index] = DomainRecord(domain: Domain(""))
            records[index].isUsed = false
            free.append(number)
            idleCount -= 1
        }
    }
}
