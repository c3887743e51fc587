import AdminProtocol
import MailValues
import Testing

@Suite("Values of the admin protocol")
struct ValueTests {
    @Test(
        "a time of RFC 3339 is read to the millisecond",
        arguments: [
            ("2026-11-24T15:19:52.123+00:00", 1_795_533_592_123),
            ("2026-11-24T15:19:52Z", 1_795_533_592_000),
            ("2026-11-24t16:19:52.5+01:00", 1_795_533_592_500),
            ("2026-11-24 10:49:52.123456-04:30", 1_795_533_592_123),
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000),
            ("0000-03-01T00:00:00Z", -62_162_035_200_000),
        ] as [(String, Int64)])
    func moments(_ text: String, _ milliseconds: Int64) {
        #expect(Moment(text)?.timestamp.milliseconds == milliseconds)
    }

    @Test(
        "what is no time is not read",
        arguments: [
            "", "now", "2026-11-24", "2026-11-24T15:19:52", "2026-13-24T15:19:52Z", "2026-11-24T24:00:00Z",
            "2026-11-24T15:19:52.Z", "2026-11-24T15:19:52+0000", "2026-11-24T15:19:52Zx",
            "2026-11-24T15:19:52+25:00",
            "+026-11-24T15:19:52Z",
        ])
    func notMoments(_ text: String) { #expect(Moment(text) == nil) }

    @Test(
        "a time beyond the years that can be written is written as the last one that can",
        arguments: [Int64.min, -62_167_219_200_001, 253_402_300_800_000, .max])
    func farMoments(_ milliseconds: Int64) {
        let text = "\(Moment(Timestamp(milliseconds: milliseconds)))"
        #expect(Moment(text) != nil && text.hasPrefix(milliseconds < 0 ? "0000-01-01" : "9999-12-31"))
    }

    @Test("every time comes back from its text")
    func roundTrip() {
        for day in stride(from: -800_000, to: 2_000_000, by: 997) {
            let time = Timestamp(milliseconds: Int64(day) * 86_400_000 + 12_345_678)
            guard CivilTime(time).year >= 0, CivilTime(time).year <= 9999 else { continue }
            #expect(Moment(time.rfc3339)?.timestamp == time)
        }
    }

    @Test(
        "spans are read and written in the largest unit",
        arguments: [
            ("90s", 90, "90s"), ("15m", 900, "15m"), ("4h", 14_400, "4h"), ("2d", 172_800, "2d"),
            ("1w", 604_800, "1w"),
            ("120", 120, "2m"), ("0", 0, "0s"), ("24h", 86_400, "1d"),
        ])
    func spans(_ text: String, _ seconds: Int, _ written: String) {
        #expect(Span(text)?.seconds == seconds)
        #expect(Span(seconds: seconds).description == written)
    }

    @Test(
        "what is no span is not read",
        arguments: ["", "m", "-1m", "1.5h", "1y", "99999999999999999999", "9999999999w", "+5"])
    func notSpans(_ text: String) { #expect(Span(text) == nil) }

    @Test("a node is as ill as its worst problem")
    func health() {
        let time = Moment(Timestamp(milliseconds: 0))
        var status = NodeStatus(hostname: "a", version: "1", pid: 1, startedAt: time, now: time)
        #expect(status.health == .ok)
        status.problems = [.init(.critical, "store"), .init(.degraded, "dns")]
        #expect(status.health == .critical)
        status.problems.removeFirst()
        #expect(status.health == .degraded)
    }

    @Test("a summary counts a message once for each domain, and once in all")
    func summary() {
        let now = Timestamp(seconds: 1_000_000)
        var builder = QueueSummary.Builder(by: .domain, now: now)
        func entry(_ recipients: [String], minutes: Int, _ state: QueueEntry.State) -> QueueEntry {
            QueueEntry(
                id: "", state: state, acceptedAt: Moment(now - .seconds(minutes * 60)), sender: "",
                sizeOctets: 10,
                listener: "mx", recipients: recipients.map { .init(address: $0, state: .waiting) })
        }
        builder.add(entry(["a@x.example", "b@x.example", "c@y.example"], minutes: 3, .deferred))
        builder.add(entry(["a@X.example"], minutes: 5000, .held))
        let summary = builder.summary()
        #expect(summary.rows.map(\.key) == ["x.example", "y.example"])
        #expect(summary.rows.map(\.messages) == [2, 1])
        #expect(summary.total.messages == 2 && summary.total.octets == 20)
        #expect(summary.rows[0].ages == [1, 0, 0, 0, 0, 1])
        #expect(summary.rows[0].held == 1 && summary.rows[0].deferred == 1)
        #expect(builder.summary(limit: 1).rows.count == 1)
    }
}
