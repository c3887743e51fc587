import MailValues
import Testing

@testable import Delivery

@Suite("A reply in an event")
struct ReplyTextTests {
    @Test(
        "reads as its description does, in printable ASCII",
        arguments: [
            (Reply(250, EnhancedStatus(2, 0, 0), "Ok"), "250 2.0.0 Ok"),
            (Reply(421, nil, "a\nb"), "421 a / b"),
            (Reply(550, EnhancedStatus(5, 999, 10), ""), "550 5.999.10 "),
            (Reply(550, nil, "ü\u{7}"), "550 ???"),
        ]
    )
    func reads(reply: Reply, text: String) {
        #expect(reply.eventText == text)
    }

    @Test("is bounded")
    func bounded() {
        #expect(Reply(550, nil, String(repeating: "x", count: 10_000)).eventText.utf8.count == 512)
        #expect(Reply(550, nil, String(repeating: "\n", count: 10_000)).eventText.utf8.count == 512)
    }
}
