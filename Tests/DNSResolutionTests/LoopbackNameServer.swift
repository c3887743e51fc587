import DNSRecords
import Glibc
import MailValues
import Synchronization

/// A name server on loopback, over UDP, that knows the zone it is given; it answers as a resolver would, for
/// a forwarder.
final class LoopbackNameServer: Sendable {
    struct Record: Sendable {
        var name: String
        var type: UInt16
        var data: [UInt8]
        var timeToLive: UInt32 = 300
    }

    enum Answer: Sendable {
        case records([Record])
        case noSuchName
        case failure(UInt8)
        case silence
    }

    private struct State: Sendable {
        var zone: [String: Answer] = [:]
        var asked: [String: Int] = [:]
        var watchers: [(count: Int, suffix: String, continuation: CheckedContinuation<Void, Never>)] = []
    }

    let port: UInt16
    private let descriptor: CInt
    private let state = Mutex(State())

    init() {
        descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        precondition(descriptor >= 0, "no socket for the test's name server")
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        precondition(bound, "no port for the test's name server")
        port = UInt16(bigEndian: address.sin_port)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { pointer in
                Unmanaged<LoopbackNameServer>.fromOpaque(pointer!).takeRetainedValue().serve()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        precondition(code == 0, "no thread for the test's name server")
        pthread_detach(thread)
    }

    deinit { Glibc.close(descriptor) }

    /// Ends the thread.
    func stop() { shutdown(descriptor, CInt(SHUT_RD)) }

    func set(_ name: String, _ type: RecordType, _ answer: Answer) {
        set(name, number: type.rawValue, answer)
    }

    func set(_ name: String, number type: UInt16, _ answer: Answer) {
        state.withLock { $0.zone["\(name) \(type)"] = answer }
    }

    func set(_ name: String, _ type: RecordType, data: [[UInt8]], timeToLive: UInt32 = 300) {
        set(
            name, type,
            .records(data.map { Record(name: name, type: type.rawValue, data: $0, timeToLive: timeToLive) }))
    }

    /// For names and types that the zone does not hold.
    func setAll(below suffix: String, _ answer: Answer) { state.withLock { $0.zone["*.\(suffix)"] = answer } }

    /// How often a name was asked for, whatever the type.
    func count(_ name: String) -> Int { state.withLock { $0.asked[name, default: 0] } }

    /// Returns when `count` different names below `suffix` have been asked for.
    func asked(_ count: Int, below suffix: String) async {
        await withCheckedContinuation { continuation in
            state.withLock { $0.watchers.append((count, suffix, continuation)) }
            notify()
        }
    }

    private func notify() {
        let due: [CheckedContinuation<Void, Never>] = state.withLock { state in
            func isDue(
                _ watcher: (count: Int, suffix: String, continuation: CheckedContinuation<Void, Never>)
            ) -> Bool {
                state.asked.keys.count { $0.hasSuffix("." + watcher.suffix) } >= watcher.count
            }
            let due = state.watchers.filter(isDue).map(\.continuation)
            state.watchers.removeAll(where: isDue)
            return due
        }
        for continuation in due { continuation.resume() }
    }

    /// Ends with `stop()`.
    private func serve() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            var peer = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = withUnsafeMutablePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
                }
            }
            guard count > 0 else { return }
            guard let reply = reply(to: buffer[..<count]) else { continue }
            withUnsafePointer(to: &peer) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = sendto(descriptor, reply, reply.count, 0, $0, length)
                }
            }
        }
    }

    private func reply(to query: ArraySlice<UInt8>) -> [UInt8]? {
        guard query.count > 12, let question = DNSName.text(query[12...]) else { return nil }
        let end = 12 + question.octetCount + 4
        guard end <= query.count else { return nil }
        let type = UInt16(query[end - 4]) << 8 | UInt16(query[end - 3])
        let answer: Answer = state.withLock { state in
            state.asked[question.name, default: 0] += 1
            if let answer = state.zone["\(question.name) \(type)"] { return answer }
            for (key, answer) in state.zone
            where key.hasPrefix("*.") && question.name.hasSuffix(key.dropFirst()) {
                return answer
            }
            let isKnown = state.zone.keys.contains { $0.hasPrefix(question.name + " ") }
            return isKnown || question.name.isEmpty ? .records([]) : .noSuchName
        }
        notify()
        switch answer {
        case .silence: return nil
        case .noSuchName: return message(query[..<end], code: 3, [])
        case .failure(let code): return message(query[..<end], code: code, [])
        case .records(let records): return message(query[..<end], code: 0, records)
        }
    }

    private func message(_ question: ArraySlice<UInt8>, code: UInt8, _ records: [Record]) -> [UInt8] {
        func two(_ number: Int) -> [UInt8] { [UInt8(number >> 8 & 255), UInt8(number & 255)] }
        var reply = Array(question)
        reply[2] = 0x85 | reply[2] & 1
        reply[3] = 0x80 | code
        // Nothing found: say for how long, with an SOA (RFC 2308 §2).
        let isNegative = records.isEmpty && code != 2
        reply.replaceSubrange(6..<12, with: two(records.count) + two(isNegative ? 1 : 0) + two(1))
        let soa = Record(
            name: "example", type: 6,
            data: DNSName.wire("ns.example") + DNSName.wire("root.example") + [UInt8](repeating: 0, count: 16)
                + [0, 0, 0, 60])
        for record in isNegative ? [soa] : records {
            reply += DNSName.wire(record.name) + two(Int(record.type)) + [0, 1]
            reply += two(Int(record.timeToLive >> 16)) + two(Int(record.timeToLive & 0xFFFF))
            reply += two(record.data.count) + record.data
        }
        // EDNS: 1232 octets, DNSSEC OK (RFC 6891 §6.1.2).
        return reply + [0, 0, 41, 0x04, 0xD0, 0, 0, 0x80, 0, 0, 0]
    }
}
