import Cryptography
import SMTPProtocol
import TestSupport
import Testing

@testable import Intake

@Suite("The event of a login")
struct LoginEventTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let steps: [AuthenticationStep]
        let fields: String

        init(_ name: String, _ fields: String, _ mechanism: String, _ initial: String?, _ more: String...) {
            testDescription = name
            self.fields = fields
            steps =
                [.begin(mechanism: mechanism, initialResponse: initial.map { Array($0.utf8) })]
                + more.map { .response(Array($0.utf8)) }
        }
    }

    private static func accounts() throws -> AccountTable {
        let verifier = ScramVerifier(password: Array("open sesame".utf8), salt: [1, 2, 3], iterations: 4_096)
        return AccountTable([
            Account(name: try #require(PreparedName("anna")), verifier: verifier, senders: ["*"])
        ])
    }

    @Test(
        "says for which account it was, as the client called itself, and never what else it said",
        arguments: [
            Case("right", #""outcome":"accepted","account":"anna"}"#, "PLAIN", "\0anna\0open sesame"),
            Case("wrong", #""outcome":"refused","account":"anna","reply":"535 "#, "PLAIN", "\0anna\0sesame"),
            Case(
                "nobody's", #""outcome":"refused","account":"bert","reply":"535 "#, "LOGIN", nil, "bert",
                "sesame"),
            Case(
                "in SCRAM", #""outcome":"refused","account":"carl","reply":"501 "#, "SCRAM-SHA-256",
                "n,,n=carl,r=sesame", "c=biws,r=wrong,p=sesame"),
            Case(
                "by a certificate that nobody showed", #""outcome":"refused","account":"dora","reply":"535 "#,
                "EXTERNAL", "dora"),
            Case(
                "unprintable", #""outcome":"refused","account":"a?b??c","reply":"535 "#, "PLAIN",
                "\0a\u{1B}b\u{E9}c\0sesame"),
            Case(
                "endless", #""account":"\#(String(repeating: "x", count: 64))","reply""#, "PLAIN",
                "\0\(String(repeating: "x", count: 200))\0sesame"),
            Case("no message at all", #""outcome":"refused","reply":"501 "#, "PLAIN", "sesame"),
        ])
    func names(_ sample: Case) throws {
        let accounts = try Self.accounts()
        let house = IntakeHouse { $0.accounts = accounts }
        let guest = house.guest(from: IntakeHouse.foreign)
        guest.hello()
        let before = house.events.lines.count
        for step in sample.steps { guest.ask(.authenticate(step)) }
        let told = house.events.lines.dropFirst(before)
        #expect(told.count == 1 && told.allSatisfy { $0.contains(sample.fields) }, "\(told)")
        #expect(told.allSatisfy { !$0.contains("sesame") })
    }
}
