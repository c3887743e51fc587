import Cryptography
import Filtering
import MailValues
import QueueEngine
import SMTPProtocol
import Telemetry
import TestSupport
import Testing

@testable import Intake

@Suite("Fingerprints and verdicts at intake")
struct VerdictIntakeTests {
    private let gate = StubGate()
    private static let text = String(repeating: "Dear customer, your parcel waits for you! ", count: 4)

    private func house(_ rule: VerdictRule, chunkOctets: Int = 256 * 1024) -> IntakeHouse {
        IntakeHouse {
            $0.gate = gate
            $0.reputation = .note
            $0.verdicts = rule
            $0.chunkOctets = chunkOctets
        }
    }

    private static func multipart(text: String, file: String) -> String {
        """
        Subject: x\r
        Content-Type: multipart/mixed; boundary=b\r
        \r
        --b\r
        Content-Type: text/plain\r
        \r
        \(text)\r
        --b\r
        Content-Type: application/octet-stream\r
        Content-Transfer-Encoding: base64\r
        \r
        \(String(decoding: Base64.encode(Array(file.utf8)), as: UTF8.self))\r
        --b--\r

        """
    }

    private func fingerprints(_ content: String, pieceOctets: Int = .max) -> [Fingerprint] {
        let reader = FingerprintReader()
        let octets = Array(content.utf8)
        var start = 0
        while start < octets.count {
            let end = min(octets.count, start + min(pieceOctets, octets.count))
            reader.take(Array(octets[start..<end]))
            start = end
        }
        return reader.finish()
    }

    private static func body(_ text: String) -> Fingerprint? {
        var body = NormalisedBody()
        var letters: [UInt8] = []
        body.append(text.utf8, to: &letters)
        return Fingerprint(.body, digest: SHA256.digest(of: letters))
    }

    @Test(
        "the text and each file have a fingerprint, whatever encodings they travel in and however they come in pieces"
    )
    func found() {
        let file = String(repeating: "%PDF", count: 100)
        let content = Self.multipart(text: Self.text, file: file)
        let expected = [
            Self.body(Self.text), Fingerprint(.attachment, digest: SHA256.digest(of: Array(file.utf8))),
        ].compactMap { $0 }
        #expect(fingerprints(content) == expected)
        // As programs save it, it is the same message.
        for lineEnd in ["\r\n", "\n", "\r"] {
            #expect(MessageFingerprints.of(Array(content.replacing("\r\n", with: lineEnd).utf8)) == expected)
        }
        #expect(MessageFingerprints.of([]).isEmpty)
        for octets in [1, 7, 100] { #expect(fingerprints(content, pieceOctets: octets) == expected) }
        let quoted =
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
            + Self.text.replacing("customer", with: "cust=6Fmer")
        #expect(fingerprints(quoted) == [Self.body(Self.text)].compactMap { $0 })
    }

    @Test("short texts and tiny files have none, and there is a bound to their number")
    func bounded() {
        #expect(fingerprints("Subject: x\r\n\r\nOK, thanks\r\n").isEmpty)
        #expect(fingerprints(Self.multipart(text: "hi", file: "tiny")).isEmpty)
        var many = "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        for number in 0..<50 {
            let file = String(repeating: "\(number),", count: 100)
            many += "--b\r\nContent-Type: image/png\r\n\r\n\(file)\r\n"
        }
        #expect(fingerprints(many + "--b--\r\n").count == FingerprintReader.countMost - 1)
    }

    @Test(
        "what is taken bears its fingerprints in the queue, in one chunk or in many",
        arguments: [256 * 1024, 1024])
    func stored(_ chunkOctets: Int) {
        let house = house(.reject, chunkOctets: chunkOctets)
        let guest = house.guest()
        guest.hello()
        let file = String(repeating: "%PDF", count: 1000)
        #expect(guest.send(Self.multipart(text: Self.text, file: file))?.text?.hasPrefix("250") == true)
        #expect(house.feed.arrived.first?.fingerprints.map(\.kind) == [.body, .attachment])
        #expect(gate.shown.count == 1)
    }

    @Test("a condemned message is refused for good, and nothing of it is kept")
    func rejected() {
        gate.think(
            verdict: VerdictOpinion(.act, Self.body(Self.text), isOrder: true, reason: "condemned"))
        let house = house(.reject, chunkOctets: 1024)
        let guest = house.guest()
        guest.hello()
        let answer = guest.send(Self.multipart(text: Self.text, file: String(repeating: "x", count: 5000)))
        #expect(answer?.refusalCode == 550)
        #expect(house.isClean && house.queue.contents.envelopes.isEmpty)
        #expect(house.metrics.verdictDeeds[.rejected].value == 1)
    }

    @Test("what one other node says is held, with the reason that operators read")
    func held() {
        let fingerprint = Self.body(Self.text)
        gate.think(
            verdict: VerdictOpinion(.hold, fingerprint, isOrder: false, reason: "a campaign, says node 2"))
        let house = house(.reject)
        let guest = house.guest()
        guest.hello()
        guest.send("Subject: x\r\n\r\n\(Self.text)\r\n")
        let hold = house.feed.arrived.first?.hold
        #expect(hold?.by == fingerprint.map { "verdict:\($0)" })
        #expect(hold?.reason == "a campaign, says node 2")
        #expect(house.metrics.verdictDeeds[.held].value == 1)
    }

    @Test("where verdicts are off, nobody looks for fingerprints")
    func off() {
        let house = house(.off)
        let guest = house.guest()
        guest.hello()
        guest.send("Subject: x\r\n\r\n\(Self.text)\r\n")
        #expect(gate.shown.isEmpty)
        #expect(house.feed.arrived.first?.fingerprints == [])
    }
}
