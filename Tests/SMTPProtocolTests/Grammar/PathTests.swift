import MailValues
import Testing

@testable import SMTPProtocol

@Suite("Paths")
struct PathTests {
    struct Case: Sendable {
        let text: String
        let direction: PathParser.Direction
        /// Local part and domain; nil for the null path.
        let outcome: Result<[String]?, PathError>

        init(_ text: String, _ local: String, _ domain: String, _ direction: PathParser.Direction = .forward)
        {
            self.text = text
            self.direction = direction
            outcome = .success([local, domain])
        }
        init(_ text: String, _ error: PathError, _ direction: PathParser.Direction = .forward) {
            self.text = text
            self.direction = direction
            outcome = .failure(error)
        }
        init(null text: String) {
            self.text = text
            direction = .reverse
            outcome = .success(nil)
        }
    }

    private static func x(_ count: Int) -> String { String(repeating: "x", count: count) }

    static let taken: [Case] = [
        Case("<a@b.example>", "a", "b.example"),
        Case("<A.b.C@B.Example>", "A.b.C", "b.example"),
        Case("<!#$%&'*+-/=?^_`{|}~@b.example>", "!#$%&'*+-/=?^_`{|}~", "b.example"),
        Case("<a%c@b.example>", "a%c", "b.example"),
        Case("<\"a b\"@b.example>", "\"a b\"", "b.example"),
        Case("<\"a\\\"\\\\b\"@b.example>", "\"a\\\"\\\\b\"", "b.example"),
        Case("<\"a@x>y\"@b.example>", "\"a@x>y\"", "b.example"),
        Case("<\"\"@b.example>", "\"\"", "b.example"),
        Case("<@x.example,@[192.0.2.1]:a@b.example>", "a", "b.example"),
        Case("<a@[192.0.2.1]>", "a", "[192.0.2.1]"),
        Case("<a@[IPv6:2001:DB8::1]>", "a", "[ipv6:2001:db8::1]"),
        Case("<a@[x400:anything]>", "a", "[x400:anything]"),
        Case("<a@b>", "a", "b"),
        Case("<a@1.2b.3>", "a", "1.2b.3"),
        Case("<a@_dmarc.b.example>", "a", "_dmarc.b.example"),
        Case("<a@xn--bcher-kva.example>", "a", "xn--bcher-kva.example"),
        Case("<Postmaster>", "Postmaster", ""),
        Case("<jörg@bücher.example>", "jörg", "bücher.example"),
        Case("<\"ä ö\"@b.example>", "\"ä ö\"", "b.example"),
        Case(null: "<>"),
        Case("<\(x(64))@b.example>", x(64), "b.example"),
        Case("<\(x(200))@b.example>", x(200), "b.example", .reverse),
        Case("<a@\(x(63)).\(x(63)).\(x(63))>", "a", "\(x(63)).\(x(63)).\(x(63))"),
    ]

    static let refused: [Case] = [
        Case("", .syntax), Case("<", .syntax), Case("<a", .syntax), Case("<a@", .syntax),
        Case("<a@b.example", .syntax),
        Case("a@b.example", .syntax), Case("<>", .syntax), Case("< >", .syntax, .reverse),
        Case("<a>", .syntax),
        Case("<postmaster>", .syntax, .reverse), Case("<@b.example>", .syntax),
        Case("<a@@b.example>", .syntax),
        Case("<a@b@c.example>", .syntax), Case("<a b@c.example>", .syntax), Case("<.a@b.example>", .syntax),
        Case("<a.@b.example>", .syntax), Case("<a..b@c.example>", .syntax), Case("<a@.b.example>", .syntax),
        Case("<a@b..example>", .syntax), Case("<a@b.example.>", .syntax), Case("<a@-b.example>", .syntax),
        Case("<a@b-.example>", .syntax), Case("<a@b.example >", .syntax), Case("<a@b.exa mple>", .syntax),
        Case("<a@b,c>", .syntax), Case("<a(comment)@b.example>", .syntax), Case("<a\t@b.example>", .syntax),
        Case("<a\0@b.example>", .syntax), Case("<\"a@b.example>", .syntax),
        Case("<\"a\"b@c.example>", .syntax),
        Case("<\"a\r\nb\"@c.example>", .syntax), Case("<\"a\\\u{1}\"@c.example>", .syntax),
        Case("<\"a\"@>", .syntax),
        Case("<a@[]>", .syntax), Case("<a@[192.0.2.256]>", .syntax), Case("<a@[192.0.2.1>", .syntax),
        Case("<a@[IPv6:::g]>", .syntax), Case("<a@[:x]>", .syntax), Case("<a@[x:]>", .syntax),
        Case("<a@[a b]>", .syntax),
        Case("<@b.example:>", .syntax), Case("<@b.example,a@c.example>", .syntax),
        Case("<@b.example;a@c.example>", .syntax),
        Case("<a@bü\u{85}.example>", .notUTF8), Case("<ä\u{2028}@b.example>", .notUTF8),
        Case("<a@b。example>", .syntax),
        Case("<a@ｂ.example>", .syntax), Case("<a@b\u{200B}.example>", .syntax),
        Case("<\(x(65))@b.example>", .localPartTooLong),
        Case("<\(x(201))@b.example>", .localPartTooLong, .reverse),
        Case("<a@\(x(64)).example>", .domainTooLong),
        // UTF-8 elsewhere, in a source route or in another label, does not make a label of ASCII longer.
        Case("<@\u{4A0}:a@\(x(64)).example>", .domainTooLong),
        Case("<\u{4A0}@\(x(64)).example>", .domainTooLong),
        Case("<a@\u{4A0}.\(x(64))>", .domainTooLong),
        Case("<a@\(x(63)).\(x(63)).\(x(63)).\(x(63))>", .pathTooLong),
        Case("<a@\(x(63)).\(x(63)).\(x(63)).\(x(63)).x>", .domainTooLong),
    ]

    @Test("are read as RFC 5321 §4.1.2 writes them, and nothing else is", arguments: taken + refused)
    func path(_ sample: Case) {
        #expect(parse(Array(sample.text.utf8), sample.direction) == sample.outcome)
        #expect(
            parse(Array((sample.text + " SIZE=1").utf8), sample.direction) == sample.outcome
                || sample.text == "<a@b.example")
    }

    @Test("no beginning of a path is a path", arguments: taken)
    func cut(_ sample: Case) {
        let octets = Array(sample.text.utf8)
        for count in 0..<octets.count {
            guard case .failure = parse(Array(octets[..<count]), sample.direction) else {
                Issue.record("\(count) octets of \(sample.text)")
                continue
            }
        }
    }

    @Test(
        "octets that are no UTF-8 are refused",
        arguments: [[0xFF], [0xC0, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80]] as [[UInt8]])
    func invalidUTF8(_ octets: [UInt8]) {
        #expect(parse(Array("<a".utf8) + octets + Array("@b.example>".utf8), .forward) == .failure(.notUTF8))
        #expect(parse(Array("<a@b".utf8) + octets + Array(".example>".utf8), .forward) == .failure(.notUTF8))
    }

    private func parse(_ octets: [UInt8], _ direction: PathParser.Direction) -> Result<[String]?, PathError> {
        octets.withUnsafeBytes { octets in
            do throws(PathError) {
                let path = try PathParser.parse(octets, direction)
                return .success(path.mailbox.map { [$0.localPart, $0.domain.name] })
            } catch {
                return .failure(error)
            }
        }
    }
}
