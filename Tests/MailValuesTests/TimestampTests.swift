import MailValues
import Testing

@Suite("Timestamps")
struct TimestampTests {
    struct Case: Sendable {
        let milliseconds: Int64
        let rfc3339: String
        let mailDate: String
        init(_ milliseconds: Int64, _ rfc3339: String, _ mailDate: String) {
            self.milliseconds = milliseconds
            self.rfc3339 = rfc3339
            self.mailDate = mailDate
        }
    }

    @Test(
        "a moment is shown as RFC 3339 and RFC 5322 write it",
        arguments: [
            Case(0, "1970-01-01T00:00:00.000+00:00", "Thu, 1 Jan 1970 00:00:00 +0000"),
            Case(951_782_400_000, "2000-02-29T00:00:00.000+00:00", "Tue, 29 Feb 2000 00:00:00 +0000"),
            Case(1_795_533_592_123, "2026-11-24T15:19:52.123+00:00", "Tue, 24 Nov 2026 15:19:52 +0000"),
            Case(-1, "1969-12-31T23:59:59.999+00:00", "Wed, 31 Dec 1969 23:59:59 +0000"),
            Case(4_107_542_399_999, "2100-02-28T23:59:59.999+00:00", "Sun, 28 Feb 2100 23:59:59 +0000"),
            Case(4_107_542_400_000, "2100-03-01T00:00:00.000+00:00", "Mon, 1 Mar 2100 00:00:00 +0000"),
        ])
    func shown(_ sample: Case) {
        let moment = Timestamp(milliseconds: sample.milliseconds)
        var mailDate: [UInt8] = []
        moment.appendMailDate(to: &mailDate)
        #expect(moment.rfc3339 == sample.rfc3339)
        #expect(String(decoding: mailDate, as: UTF8.self) == sample.mailDate)
    }

    @Test("durations are added and taken in milliseconds")
    func arithmetic() {
        let moment = Timestamp(seconds: 100)
        #expect(moment + .milliseconds(250) == Timestamp(milliseconds: 100_250))
        #expect(moment - .seconds(1) == Timestamp(milliseconds: 99_000))
        #expect((moment + .seconds(3)) - moment == .seconds(3))
    }
}
