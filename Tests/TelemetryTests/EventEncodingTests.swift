import MailValues
import Telemetry
import Testing

/// 2026-11-24T15:19:52.123Z
private let moment = Timestamp(milliseconds: 1_795_533_592_123)
private let id = QueueID(at: moment, entropyHigh: 0x1234, entropyLow: 0xDEAD_BEEF_0123_4567)

private func line(_ event: Event) -> String { String(decoding: event.encoded(), as: UTF8.self) }

@Suite("An event is one line of JSON")
struct EventEncodingTests {
    @Test("time, kind, id and fields stand in this order")
    func order() {
        var event = Event(.delivery, at: moment, message: id)
        event.add("host", "mx.example.org")
        event.add("attempts", .number(-3))
        event.add("tls", .flag(true))
        event.add("absent", nil as String?)
        event.add("to", .list(["a@example.org", "b@example.org"]))
        #expect(
            line(event) == """
                {"at":"2026-11-24T15:19:52.123+00:00","kind":"delivery","id":"\(id)","host":"mx.example.org",\
                "attempts":-3,"tls":true,"to":["a@example.org","b@example.org"]}
                """)
    }

    @Test("an event of no message has no id")
    func noMessage() {
        #expect(
            line(Event(.lifecycle, at: moment))
                == #"{"at":"2026-11-24T15:19:52.123+00:00","kind":"lifecycle"}"#)
    }

    struct Text: Sendable {
        let text: String
        let json: String
        init(_ text: String, _ json: String) {
            self.text = text
            self.json = json
        }
    }

    @Test(
        "what JSON forbids in a string is escaped, and nothing else",
        arguments: [
            Text("", ""),
            Text("plain", "plain"),
            Text(#"a "quoted" word"#, #"a \"quoted\" word"#),
            Text(#"back\slash"#, #"back\\slash"#),
            Text("\r\n\t", #"\r\n\t"#),
            Text("\u{0}\u{1B}\u{1F}\u{7F}", #"\u0000\u001b\u001f\u007f"#),
            Text("Grüße 🗼", "Grüße 🗼"),
            Text(String(decoding: [0x61, 0xFF, 0x62], as: UTF8.self), "a\u{FFFD}b"),
            Text(String(repeating: "\"", count: 300), String(repeating: #"\""#, count: 300)),
        ])
    func escapes(_ sample: Text) {
        let event = Event(
            .session, at: moment, fields: [("x", .text(sample.text)), ("l", .list([sample.text]))])
        #expect(
            line(event) == """
                {"at":"2026-11-24T15:19:52.123+00:00","kind":"session","x":"\(sample.json)","l":["\(sample.json)"]}
                """)
    }

    @Test("a control character, quotation mark or backslash is found at every place of a text")
    func places() {
        for octet in [0x00, 0x1F, 0x22, 0x5C, 0x7F] as [UInt8] {
            for length in 1...40 {
                for place in 0..<length {
                    var octets = [UInt8](repeating: UInt8(ascii: "~"), count: length)
                    octets[place] = octet
                    let event = Event(
                        .session, at: moment, fields: [("x", .text(String(decoding: octets, as: UTF8.self)))])
                    #expect(
                        event.encoded().count == event.encoded().filter { $0 >= 0x20 && $0 != 0x7F }.count)
                    let escape = octet == 0x22 || octet == 0x5C ? 1 : 5
                    #expect(line(event).utf8.count == 62 + length + escape)
                }
            }
        }
    }

    @Test(
        "numbers keep every digit",
        arguments: [
            0, 9, 10, 99, 100, 1_000_000_007, 999_999_999_999_999_999, 1_000_000_000_000_000_000, Int64.max,
            Int64.min,
            -1,
        ])
    func numbers(_ number: Int64) {
        #expect(
            line(Event(.store, at: moment, fields: [("n", .number(number))])).hasSuffix("\"n\":\(number)}"))
    }

    @Test("a line is appended to what is there already")
    func appends() {
        var octets = Array("before ".utf8)
        let event = Event(.hold, at: moment, message: id, fields: [("reason", .text("campaign"))])
        event.encoded(into: &octets)
        #expect(octets == Array("before ".utf8) + event.encoded())
    }

    @Test("the longest kind, a full id and extreme numbers fit")
    func longest() {
        for kind in EventKind.allCases {
            let event = Event(
                kind, at: moment, message: QueueID(high: .max, low: .max),
                fields: Array(repeating: ("name", .number(.min)), count: 40))
            #expect(event.encoded().last == UInt8(ascii: "}"))
        }
    }
}
