import AdminClient
import Testing

@Suite("An HTTP answer")
struct HTTPAnswerTests {
    struct Case: Sendable {
        let text: String
        let outcome: Result<String, HTTPAnswer.Failure>
        init(_ text: String, _ body: String) {
            self.text = text
            outcome = .success(body)
        }
        init(_ text: String, fails failure: HTTPAnswer.Failure) {
            self.text = text
            outcome = .failure(failure)
        }
    }

    @Test(
        "is read whole, or not at all",
        arguments: [
            Case("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc"),
            Case("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd", "abc"),
            Case("HTTP/1.1 200\r\n\r\nto the end", "to the end"),
            Case(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
                "abcde"),
            Case("HTTP/1.1 200 OK\r\ntransfer-encoding:  Chunked \r\n\r\n0\r\n", ""),
            Case("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", fails: .cutShort),
            Case("HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nab", fails: .badLength),
            Case("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", fails: .badLength),
            Case("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", fails: .badLength),
            Case("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", fails: .badHeader),
            Case("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", fails: .badChunk),
            Case("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", fails: .badChunk),
            Case("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\nabc", fails: .cutShort),
            Case("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", fails: .badHeader),
            Case("HTTP/1.1 99 OK\r\n\r\n", fails: .noStatusLine),
            Case("SMTP 200 OK\r\n\r\n", fails: .noStatusLine),
            Case("\r\n\r\n", fails: .noStatusLine),
            Case("", fails: .cutShort),
            Case("HTTP/1.1 200 OK\r\n", fails: .cutShort),
            Case(String(repeating: "x", count: 70_000), fails: .headerTooLong),
        ])
    func reads(_ sample: Case) {
        let outcome = Result { () throws(HTTPAnswer.Failure) in
            String(decoding: try HTTPAnswer(Array(sample.text.utf8)).body, as: UTF8.self)
        }
        #expect(outcome == sample.outcome)
    }

    @Test("cut at any octet never gives another body")
    func cuts() {
        let whole = Array(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n".utf8)
        for length in 0..<(whole.count - 2) {
            #expect(throws: HTTPAnswer.Failure.cutShort) { try HTTPAnswer(Array(whole[..<length])) }
        }
    }
}
