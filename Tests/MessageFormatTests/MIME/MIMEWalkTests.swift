import MessageFormat
import Testing

/// Keeps what it is shown.
struct LeafCollector: LeafTaker {
    struct Leaf: Equatable, CustomStringConvertible {
        var kind: MIMEWalk.LeafKind
        var text: String
        var description: String { "\(kind) \(text.debugDescription)" }
    }

    private var underway: [UInt8] = []
    private(set) var leaves: [Leaf] = []

    mutating func take(_ octets: UnsafeRawBufferPointer, of kind: MIMEWalk.LeafKind) {
        underway.append(contentsOf: octets)
    }

    mutating func ended(_ kind: MIMEWalk.LeafKind) {
        leaves.append(Leaf(kind: kind, text: String(decoding: underway, as: UTF8.self)))
        underway = []
    }

    static func leaves(of pieces: [[UInt8]], limits: MIMEWalk.Limits = .init()) -> [Leaf] {
        var walk = MIMEWalk(limits: limits)
        var collector = LeafCollector()
        for piece in pieces { walk.take(piece, &collector) }
        walk.finish(&collector)
        return collector.leaves
    }
}

@Suite("The walk through a message")
struct MIMEWalkTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let message: String
        let leaves: [LeafCollector.Leaf]

        /// Lines of the message, joined by CRLF as they stand.
        init(_ name: String, _ lines: [String], _ leaves: (MIMEWalk.LeafKind, String)...) {
            testDescription = name
            message = lines.joined(separator: "\r\n")
            self.leaves = leaves.map { LeafCollector.Leaf(kind: $0.0, text: $0.1) }
        }
    }

    static let cases = [
        Case("plain text without a word about it", ["Subject: x", "", "hello", ""], (.text, "hello\r\n")),
        Case("no header at all", ["", "hello"], (.text, "hello")),
        Case("no body", ["Subject: x", ""]),
        Case(
            "base64, cut into lines, with things that are no letters",
            [
                "Content-Transfer-Encoding: BASE64", "Content-Type: text/html", "", "aGVs", "bG8s!IHdv",
                "cmxkCg==", "",
            ], (.text, "hello, world\n")),
        Case(
            "quoted-printable, with soft line ends and codes that are none",
            [
                "content-transfer-encoding:\r\n quoted-printable", "", "a=3D=C3=A4=", "b=zz =4", "=2", "",
            ], (.text, "a=\u{E4}b=zz =4\r\n=2\r\n")),
        Case(
            "an attachment beside text",
            [
                "Content-Type: multipart/mixed; boundary=\"b 1\"", "", "preamble", "--b 1", "", "the text",
                "--b 1", "Content-Type: application/pdf", "Content-Transfer-Encoding: base64", "", "JVBERg==",
                "--b 1--", "epilogue", "--b 1", "Content-Type: text/plain", "", "nobody's",
            ], (.text, "the text"), (.attachment, "%PDF")),
        Case(
            "line ends before delimiters belong to these",
            [
                "Content-Type: multipart/mixed; boundary=b", "", "--b", "", "", "--b", "", "x", "", "--b  ",
                "", "-", "--bb", "--", "--b--",
            ], (.text, ""), (.text, "x\r\n"), (.text, "-\r\n--bb\r\n--")),
        Case(
            "alternatives within mixed, and an outer delimiter that ends both",
            [
                "Content-Type: multipart/mixed; boundary=out", "", "--out",
                "Content-Type: multipart/alternative; boundary=in", "", "--in", "", "plain", "--in",
                "Content-Type: text/html", "", "<p>html</p>", "--out", "Content-Type: image/png", "", "PNG",
                "--out--", "",
            ], (.text, "plain"), (.text, "<p>html</p>"), (.attachment, "PNG")),
        Case(
            "text with a file's name is a file",
            [
                "Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: text/plain",
                "Content-Disposition: inline; FileName=a.txt", "", "file", "--b",
                "Content-Disposition: attachment", "", "file too", "--b", "Content-Disposition: inline", "",
                "text", "--b--",
            ], (.attachment, "file"), (.attachment, "file too"), (.text, "text")),
        Case(
            "a message within a message is looked into, and in a digest every part is one",
            [
                "Content-Type: multipart/digest; boundary=b", "", "--b", "", "Subject: inner", "",
                "inner text", "--b", "Content-Type: text/plain", "", "plain", "--b--",
            ], (.text, "inner text"), (.text, "plain")),
        Case(
            "a message that breaks off shows what came",
            ["Content-Type: multipart/mixed; boundary=b", "", "--b", "", "half a wo"], (.text, "half a wo")),
        Case(
            "a header that a delimiter breaks off",
            [
                "Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: text/html", "--b", "",
                "second", "--b--",
            ], (.text, "second")),
        Case(
            "a multipart without a boundary is a file",
            ["Content-Type: multipart/mixed", "", "--b", "", "x"], (.attachment, "--b\r\n\r\nx")),
        Case(
            "bare line ends are line ends too",
            ["Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n\r\r\n--b--\n"], (.text, "x\n\r")),
        Case(
            "a delimiter at the very end needs no line end",
            ["Content-Type: multipart/mixed; boundary=b", "", "--b", "", "x", "--b--"], (.text, "x")),
    ]

    @Test("leaves are found and decoded", arguments: cases)
    func finds(_ sample: Case) {
        #expect(LeafCollector.leaves(of: [Array(sample.message.utf8)]) == sample.leaves)
    }

    @Test("wherever a message is cut, its leaves are the same", arguments: cases)
    func cuts(_ sample: Case) {
        let octets = Array(sample.message.utf8)
        #expect(LeafCollector.leaves(of: octets.map { [$0] }) == sample.leaves, "octet by octet")
        for cut in octets.indices {
            let leaves = LeafCollector.leaves(of: [Array(octets[..<cut]), Array(octets[cut...])])
            #expect(leaves == sample.leaves, "cut at \(cut)")
        }
    }

    @Test("what is nested too deep, or comes behind too many parts, is passed over")
    func bounded() {
        var message = ""
        for depth in 0..<1000 {
            message += "Content-Type: multipart/mixed; boundary=b\(depth)\r\n\r\n--b\(depth)\r\n"
        }
        message += "\r\ndeep"
        #expect(LeafCollector.leaves(of: [Array(message.utf8)]).isEmpty)
        var limits = MIMEWalk.Limits()
        limits.partsMost = 4
        let many =
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
            + (0..<10).map { "--b\r\n\r\n\($0)\r\n" }.joined() + "--b--\r\n"
        #expect(LeafCollector.leaves(of: [Array(many.utf8)], limits: limits).map(\.text) == ["0", "1", "2"])
        let messages = String(repeating: "Content-Type: message/rfc822\r\n\r\n", count: 100_000)
        #expect(LeafCollector.leaves(of: [Array(messages.utf8)]).isEmpty)
    }

    @Test("a line that begins like a delimiter and never ends is content")
    func endless() {
        let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"
        let dashes = String(repeating: "-", count: 100_000)
        #expect(LeafCollector.leaves(of: [Array((head + dashes).utf8)]).map(\.text) == [dashes])
        let pieces = [Array(head.utf8)] + dashes.utf8.map { [$0] }
        #expect(LeafCollector.leaves(of: pieces).map(\.text) == [dashes])
    }
}
