import MailValues
import MessageFormat
import Testing

@Suite("Header section")
struct HeaderScanTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let names: [String]
        let ending: HeaderScan.Ending
        /// Where the body begins, as the text that stands there.
        let body: String
        var testDescription: String { text.debugDescription }

        init(_ text: String, _ names: [String], _ ending: HeaderScan.Ending, body: String) {
            self.text = text
            self.names = names
            self.ending = ending
            self.body = body
        }
    }

    @Test(
        "a header ends at its blank line, at a line that is no field, or with the message",
        arguments: [
            Case("Subject: a\r\n\r\nbody\r\n", ["Subject"], .blankLine, body: "body\r\n"),
            Case("A: 1\r\n b\r\n\tc\r\nB:\r\n\r\n", ["A", "B"], .blankLine, body: ""),
            Case("Subject : obsolete\r\n\r\n", ["Subject"], .blankLine, body: ""),
            Case("A: 1\r\n \r\n x\r\n\r\n", ["A"], .blankLine, body: ""),
            Case("\r\nbody", [], .blankLine, body: "body"),
            Case(
                "A: 1\r\nno field here\r\nB: 2\r\n\r\n", ["A"], .notAField,
                body: "no field here\r\nB: 2\r\n\r\n"),
            Case(" A: 1\r\n", [], .notAField, body: " A: 1\r\n"),
            Case("Hello: there\r\n: nothing\r\n", ["Hello"], .notAField, body: ": nothing\r\n"),
            Case("Name with space: 1\r\n\r\n", [], .notAField, body: "Name with space: 1\r\n\r\n"),
            Case("A: 1\r\n", ["A"], .endOfOctets, body: ""),
            Case("A: 1", ["A"], .endOfOctets, body: ""),
            Case("", [], .endOfOctets, body: ""),
            Case("From a@b Tue\r\nA: 1\r\n\r\nx", ["A"], .blankLine, body: "x"),
            Case("From : a@b\r\n\r\nx", ["From"], .blankLine, body: "x"),
            Case("Nämé: 1\r\n\r\n", [], .notAField, body: "Nämé: 1\r\n\r\n"),
        ]
    )
    func findsEnd(_ sample: Case) {
        let octets = Array(sample.text.utf8)
        let scan = HeaderScan(octets)
        #expect(scan.fields.map { String(decoding: octets[$0.nameOctets], as: UTF8.self) } == sample.names)
        #expect(scan.ending == sample.ending)
        #expect(String(decoding: octets[scan.sectionEnd...], as: UTF8.self) == sample.body)
    }

    @Test("fields cover the section without gaps, wherever the text is cut")
    func coversSection() {
        let text = Array("A: 1\r\nFrom: x@y\r\n z\r\nBcc:q\r\n\r\nbody".utf8)
        for count in 0...text.count {
            let scan = HeaderScan(Array(text[..<count]))
            var position = 0
            for field in scan.fields {
                #expect(Int(field.start) == position)
                #expect(field.valueStart <= field.end)
                position = Int(field.end)
            }
            #expect(position == scan.fieldsEnd)
            #expect(scan.sectionEnd <= count)
        }
    }

    @Test("known names are recognised in any case, and only as a whole")
    func knowsNames() {
        let text = Array(
            "FROM: a\r\nFroma: b\r\nBCC: c\r\nauthentication-RESULTS: d\r\nAuthentication_Results: e\r\n\r\n"
                .utf8)
        #expect(HeaderScan(text).fields.map(\.name) == [.from, .other, .bcc, .authenticationResults, .other])
    }

    @Test("a header beyond its limits is not looked at further")
    func keepsLimits() {
        var limits = HeaderLimits()
        limits.sectionOctets = 12
        #expect(HeaderScan(Array("A: 1\r\nB: 2\r\n\r\nbody".utf8), limits: limits).ending == .tooLong)
        #expect(HeaderScan(Array("A: 1\r\nBBBBBBBBBBBBB: 2\r\n\r\n".utf8), limits: limits).ending == .tooLong)
        #expect(HeaderScan(Array("A: 1\r\n\r\nbody body body".utf8), limits: limits).ending == .blankLine)
        limits = HeaderLimits()
        limits.fieldCount = 2
        #expect(HeaderScan(Array("A: 1\r\nB: 2\r\nC: 3\r\n\r\n".utf8), limits: limits).ending == .tooLong)
        #expect(HeaderScan(Array("A: 1\r\nB: 2\r\n\r\n".utf8), limits: limits).ending == .blankLine)
    }
}
