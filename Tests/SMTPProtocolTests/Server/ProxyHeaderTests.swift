import MailValues
import Testing

@testable import SMTPProtocol

@Suite("PROXY header")
struct ProxyHeaderTests {
    struct Case: Sendable {
        let octets: [UInt8]
        let outcome: ProxyHeader.Outcome

        init(_ octets: [UInt8], _ outcome: ProxyHeader.Outcome) {
            self.octets = octets
            self.outcome = outcome
        }
        init(_ text: String, _ outcome: ProxyHeader.Outcome) { self.init(Array(text.utf8), outcome) }
    }

    private static func from(
        _ source: String, _ sourcePort: UInt16, _ to: String, _ port: UInt16
    ) -> ProxyHeader {
        ProxyHeader(
            endpoints: .init(
                source: IPAddress(source)!, sourcePort: sourcePort, destination: IPAddress(to)!,
                destinationPort: port))
    }
    private static let nobody = ProxyHeader(endpoints: nil)
    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]
    private static let v4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 1, 0x12, 0x67, 0, 25]
    private static let mapped: [UInt8] =
        Array(repeating: 0, count: 10) + [255, 255, 192, 0, 2, 1] + Array(repeating: 0, count: 15) + [
            1, 0x12, 0x67, 0, 25,
        ]

    static let cases: [Case] = [
        Case(
            "PROXY TCP4 192.0.2.1 198.51.100.1 4711 25\r\n",
            .header(from("192.0.2.1", 4711, "198.51.100.1", 25), octets: 43)),
        Case(
            "PROXY TCP6 2001:db8::1 ::1 4711 25\r\n",
            .header(from("2001:db8::1", 4711, "::1", 25), octets: 36)),
        Case(
            "PROXY TCP6 ::ffff:192.0.2.1 ::1 1 25\r\n", .header(from("192.0.2.1", 1, "::1", 25), octets: 38)),
        Case("PROXY UNKNOWN\r\n", .header(nobody, octets: 15)),
        Case("PROXY UNKNOWN whatever 1 2 3\r\n", .header(nobody, octets: 30)),
        Case("PROXY TCP4 192.0.2.1 198.51.100.1 65536 25\r\n", .invalid),
        Case("PROXY TCP4 192.0.2.1 198.51.100.1 +25 25\r\n", .invalid),
        Case("PROXY TCP4 ::1 198.51.100.1 1 25\r\n", .invalid),
        Case("PROXY TCP4 192.0.2.1 198.51.100.1 1\r\n", .invalid),
        Case("PROXY TCP4 192.0.2.1  198.51.100.1 1 25\r\n", .invalid),
        Case("PROXY TCP4 192.0.2.1 198.51.100.1 1 25\n", .invalid),
        Case("EHLO client.example\r\n", .invalid),
        Case("PROXY " + String(repeating: "x", count: 120) + "\r\n", .invalid),
        Case(
            signature + [0x21, 0x11, 0, 12] + v4,
            .header(from("192.0.2.1", 0x1267, "198.51.100.1", 25), octets: 28)),
        Case(
            signature + [0x21, 0x11, 0, 15] + v4 + [4, 0, 0],
            .header(from("192.0.2.1", 0x1267, "198.51.100.1", 25), octets: 31)),
        Case(
            signature + [0x21, 0x21, 0, 36] + mapped,
            .header(from("192.0.2.1", 0x1267, "::1", 25), octets: 52)),
        Case(signature + [0x20, 0x11, 0, 12] + v4, .header(nobody, octets: 28)),
        Case(signature + [0x20, 0, 0, 0], .header(nobody, octets: 16)),
        Case(signature + [0x21, 0x31, 0, 0], .header(nobody, octets: 16)),
        Case(signature + [0x21, 0x11, 0, 11] + v4.dropLast(), .invalid),
        Case(signature + [0x11, 0x11, 0, 12] + v4, .invalid),
        Case(signature + [0x22, 0x11, 0, 12] + v4, .invalid),
        Case(signature + [0x21, 0x11, 0xFF, 0xFF], .invalid),
    ]

    @Test("a header is taken whole or not at all, and what follows it is left", arguments: cases)
    func header(_ sample: Case) {
        #expect(sample.octets.withUnsafeBytes { ProxyHeader.parse($0) } == sample.outcome)
        #expect(
            (sample.octets + Array("EHLO x\r\n".utf8)).withUnsafeBytes { ProxyHeader.parse($0) }
                == sample.outcome)
        for count in 0..<sample.octets.count {
            let outcome = sample.octets[..<count].withUnsafeBytes { ProxyHeader.parse($0) }
            switch sample.outcome {
            case .header: #expect(outcome == .incomplete, "the first \(count)")
            case .invalid: #expect(outcome != .header(Self.nobody, octets: count), "the first \(count)")
            case .incomplete: break
            }
        }
    }
}
