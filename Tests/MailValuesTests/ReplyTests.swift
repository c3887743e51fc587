import MailValues
import Testing

@Suite("Replies, domains and printable text")
struct ReplyTests {
    private func wire(_ reply: Reply) -> String {
        var octets: [UInt8] = []
        reply.append(to: &octets)
        return String(decoding: octets, as: UTF8.self)
    }

    @Test("a reply of one line is code, enhanced status and text")
    func oneLine() {
        #expect(wire(Reply(250, EnhancedStatus(2, 1, 0), "Ok")) == "250 2.1.0 Ok\r\n")
        #expect(wire(Reply(354, nil, "Go ahead")) == "354 Go ahead\r\n")
        #expect(wire(Reply(250, nil, "")) == "250 \r\n")
    }

    @Test("each line of a longer reply bears code and enhanced status")
    func severalLines() {
        #expect(
            wire(Reply(550, EnhancedStatus(5, 7, 1), "No\nnever")) == "550-5.7.1 No\r\n550 5.7.1 never\r\n")
    }

    @Test("logs show a reply on one line")
    func described() {
        #expect(Reply(550, EnhancedStatus(5, 7, 1), "No\nnever").description == "550 5.7.1 No / never")
    }

    @Test("a domain is compared without regard to case")
    func domainCase() {
        #expect(Domain("Example.ORG") == Domain("example.org"))
        #expect(Domain("[IPv6:::1]").isLiteral)
        #expect(!Domain("bücher.example").isASCII)
    }

    @Test("a stranger's text is cut and made printable")
    func printable() {
        #expect("a\u{0}b\r\nc\u{7F}d".printable(limit: 100) == "a?b??c?d")
        #expect("é".printable(limit: 100) == "??")
        #expect("abcdef".printable(limit: 3) == "abc")
    }
}
