package import MailValues

/// Why our own statement was not made.
package enum FactWriteError: Error, Equatable {
    /// The kind is not in the table: ours to mend.
    case unknownKind
    /// The subject or the value is longer than the kind allows.
    case tooLong
    /// The kind is full and forgets nothing: waiting helps once something is over.
    case full
}

extension Replica {
    /// What is left of a full kind once it is trimmed: trimming seldom and much costs less than often and little.
    private static let shareAfterTrimming = 15.0 / 16

    /// Milliseconds that a deletion outlives what it deletes, so that it is still known where that came late.
    private static let deletionLongerMilliseconds: Int64 = 60_000

    /// Says something, here at once and elsewhere once it is sealed. `lifetime` is cut to what the kind allows.
    package mutating func say(
        _ key: FactKey, _ value: [UInt8], lifetime: Duration?, now: ClockReading,
        into changes: inout [FactChange]
    ) throws(FactWriteError) {
        guard let description = table[key.kind] else { throw .unknownKind }
        let bounds = description.bounds
        guard key.subject.count <= bounds.subjectOctets, value.count <= bounds.valueOctets else {
            throw .tooLong
        }
        if bounds.overflow == .refuse, let log = logs[node] {
            let usage = log.usage(of: key.kind)
            let known = log.held(key)
            guard usage.keys + (known == nil ? 1 : 0) <= bounds.keys,
                usage.octets + key.subject.count + value.count - (known?.record.sizeOctets ?? 0)
                    <= bounds.octets
            else { throw .full }
        }
        let longest = table.lifetimeLongest(of: key.kind)
        let asked = lifetime?.wholeMilliseconds ?? .max
        let lifetime = min(asked, longest ?? .max)
        write(key, value, lifetime: lifetime == .max ? nil : lifetime, now, into: &changes)
        trim(key.kind, bounds, now, into: &changes)
    }

    /// Takes back what we said, before its time is over.
    package mutating func withdraw(
        _ key: FactKey, now: ClockReading, into changes: inout [FactChange]
    ) {
        guard let held = logs[node]?.held(key), held.record.value != nil, key.kind != .floor else { return }
        let left =
            held.expires == .max
            ? nil : held.expires - now.uptime.milliseconds + Self.deletionLongerMilliseconds
        write(key, nil, lifetime: left, now, into: &changes)
    }

    private mutating func write(
        _ key: FactKey, _ value: [UInt8]?, lifetime: Int64?, _ now: ClockReading,
        into changes: inout [FactChange]
    ) {
        counter += 1
        let stamp = stamps.next(now: now.wall)
        let record = FactRecord(key: key, counter: counter, value: value, lifetime: lifetime, stamp: stamp)
        let unbounded = FactBounds(keys: .max / 2, octets: .max / 2)  // our own bound is kept by trimming
        _ = logs[node]?.hold(
            record, said: now.uptime.milliseconds, stamp: stamp, now: now.uptime.milliseconds,
            bounds: unbounded, origin: node,
            into: &changes)
    }

    private mutating func trim(
        _ kind: FactKind, _ bounds: FactBounds, _ now: ClockReading,
        into changes: inout [FactChange]
    ) {
        guard
            let counter = logs[node]?.trimming(of: kind, to: bounds, leaving: Self.shareAfterTrimming)
        else { return }
        let floor = Floor(kind: kind, counter: counter)
        write(floor.key, floor.value, lifetime: nil, now, into: &changes)
    }

    // MARK: Sealing

    /// What waits to be signed: the counters, and what is still said of them.
    package struct Unsealed: Sendable {
        package var first: UInt64
        package var last: UInt64
        package var records: [FactRecord]

        package var count: Int { Int(last - first) + 1 }
    }

    /// What to sign next, at most `countLongest` counters of it, oldest first; nil if all is signed.
    package func unsealed(countLongest: Int) -> Unsealed? {
        guard let log = logs[node], counter > log.mark else { return nil }
        let last = min(counter, log.mark + UInt64(countLongest))
        let records = log.unsealed.lazy.prefix { $0.counter <= last }.compactMap { log.held(at: $0)?.record }
        return Unsealed(first: log.mark + 1, last: last, records: Array(records))
    }

    /// The batch is signed: what it holds may travel from now on. `paths` are those of the records, in order.
    package mutating func seal(_ unsealed: Unsealed, in batch: SignedBatch, paths: [[UInt8]]) {
        guard var log = logs[node] else { return }
        precondition(
            batch.origin == node && batch.last == unsealed.last && paths.count == unsealed.records.count,
            "a batch seals what it was made of")
        logs[node] = nil
        for (record, (place, path)) in zip(unsealed.records, zip(log.unsealed, paths)) {
            precondition(record.counter == place.counter, "nothing is said between taking and sealing")
            log.seal(place.counter, in: place.slot, with: Seal(batch: batch, path: path))
        }
        log.learn(head: batch)
        log.raiseMark(to: batch.last)
        logs[node] = log
    }

    /// Our own statement as it travels.
    package func own(_ counter: UInt64, key: FactKey, now: Uptime) -> TravellingFact? {
        guard let held = logs[node]?.held(key), held.record.counter == counter, held.record.seal != nil else {
            return nil
        }
        return TravellingFact(record: held.record, age: now.milliseconds - held.said)
    }
}
