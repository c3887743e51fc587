import Testing

@testable import Cryptography

@Suite struct ScramTests {
    // RFC 7677 §3
    static let salt = Base64.decode(Array("W22ZaJ0SNY7soEsUEjb6gQ==".utf8))!
    static let verifier = ScramVerifier(password: Array("pencil".utf8), salt: salt, iterations: 4_096)
    static let clientNonce = Base64.decode(Array("rOprNGfwEbeRWgbNEkqO".utf8))!
    static let exporter = [UInt8](repeating: 7, count: 32)

    static func server(
        _ first: [UInt8], isPlus: Bool = false, wasOffered: Bool = false, exporter: [UInt8] = []
    ) throws(ScramError) -> ScramServer {
        try ScramServer(
            ScramClientFirst(parsing: first), verifier: verifier,
            binding: ScramServer.Binding(isPlus: isPlus, wasOffered: wasOffered, exporter: exporter),
            entropy: Array(repeating: 9, count: ScramServer.nonceOctets))
    }

    @Test("the client speaks as in the example of RFC 7677 §3")
    func followsExample() throws {
        var client = ScramClient(
            name: "user", password: "pencil", binding: .unsupported, entropy: Self.clientNonce)
        #expect(client.firstMessage == Array("n,,n=user,r=rOprNGfwEbeRWgbNEkqO".utf8))
        let first = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        let final = try client.respond(to: Array(first.utf8))
        #expect(
            String(decoding: final, as: UTF8.self)
                == "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        )
        #expect(!client.isServerVerified)
        #expect(try client.respond(to: Array("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".utf8)).isEmpty)
        #expect(client.isServerVerified)
    }

    @Test(
        "both sides agree, with and without a binding, whatever the name",
        arguments: ["user", "a,b=c", "j\u{f6}rg", "=2C"])
    func agrees(name: String) throws {
        for binding in [ScramClient.Binding.unsupported, .notOffered, .exporter(Self.exporter)] {
            var client = ScramClient(
                name: name, password: "pencil", binding: binding, entropy: Self.clientNonce)
            #expect(try ScramClientFirst(parsing: client.firstMessage).name == name)
            let isPlus = binding == .exporter(Self.exporter)
            let server = try Self.server(
                client.firstMessage, isPlus: isPlus, exporter: isPlus ? Self.exporter : [])
            let final = try server.finalMessage(answering: client.respond(to: server.firstMessage))
            _ = try client.respond(to: final)
            #expect(client.isServerVerified)
        }
    }

    @Test("a wrong password gives no proof")
    func refusesWrongPassword() throws {
        var client = ScramClient(
            name: "user", password: "pen", binding: .unsupported, entropy: Self.clientNonce)
        let server = try Self.server(client.firstMessage)
        let final = try client.respond(to: server.firstMessage)
        #expect(throws: ScramError.badProof) { try server.finalMessage(answering: final) }
    }

    @Test("a login on one connection is worth nothing on another")
    func refusesForeignBinding() throws {
        var client = ScramClient(
            name: "user", password: "pencil", binding: .exporter(Self.exporter), entropy: Self.clientNonce)
        let server = try Self.server(
            client.firstMessage, isPlus: true, exporter: Array(repeating: 8, count: 32))
        let final = try client.respond(to: server.firstMessage)
        #expect(throws: ScramError.channelBindingMismatch) { try server.finalMessage(answering: final) }
    }

    struct Flag: Sendable {
        let first: String
        let isPlus: Bool
        let wasOffered: Bool
        let isTaken: Bool
    }

    @Test(
        "the flag of channel binding must fit what was offered and chosen (RFC 5802 §6)",
        arguments: [
            Flag(first: "n,,n=u,r=x", isPlus: false, wasOffered: true, isTaken: true),
            Flag(first: "n,,n=u,r=x", isPlus: true, wasOffered: true, isTaken: false),
            Flag(first: "y,,n=u,r=x", isPlus: false, wasOffered: false, isTaken: true),
            Flag(first: "y,,n=u,r=x", isPlus: false, wasOffered: true, isTaken: false),  // a downgrade
            Flag(first: "y,,n=u,r=x", isPlus: true, wasOffered: true, isTaken: false),
            Flag(first: "p=tls-exporter,,n=u,r=x", isPlus: true, wasOffered: true, isTaken: true),
            Flag(first: "p=tls-exporter,,n=u,r=x", isPlus: false, wasOffered: true, isTaken: false),
            Flag(first: "p=tls-unique,,n=u,r=x", isPlus: true, wasOffered: true, isTaken: false),
        ])
    func judgesFlag(sample: Flag) {
        let outcome = Result { () throws(ScramError) in
            try Self.server(
                Array(sample.first.utf8), isPlus: sample.isPlus, wasOffered: sample.wasOffered,
                exporter: Self.exporter)
        }
        switch outcome {
        case .success: #expect(sample.isTaken)
        case .failure(let error):
            #expect(!sample.isTaken)
            #expect(error == .channelBindingMismatch)
        }
    }

    @Test("without a value to bind to, -PLUS fails")
    func refusesEmptyExporter() {
        #expect(throws: ScramError.channelBindingMismatch) {
            try Self.server(
                Array("p=tls-exporter,,n=u,r=x".utf8), isPlus: true, wasOffered: true, exporter: [])
        }
    }

    @Test(
        "first messages that are none",
        arguments: [
            ("", .malformed), ("n", .malformed), ("n,", .malformed), ("n,,", .malformed),
            ("x,,n=u,r=x", .malformed),
            ("nn,,n=u,r=x", .malformed), ("p,,n=u,r=x", .malformed), ("p=,,n=u,r=x", .malformed),
            ("p=a b,,n=u,r=x", .malformed), ("n,b=u,n=u,r=x", .malformed), ("n,a=,n=u,r=x", .badName),
            ("n,,n=,r=x", .malformed), ("n,,n=u,r=", .malformed), ("n,,n=u,r=\u{1}", .malformed),
            ("n,,n=u", .malformed), ("n,,r=x,n=u", .malformed), ("n,,n=u,r=x,", .malformed),
            ("n,,n=u,r=x,z", .malformed),
            ("n,,n=a=b,r=x", .badName), ("n,,n=a=2c,r=x", .badName), ("n,,n=a=,r=x", .badName),
            ("n,,n=a=2,r=x", .badName),
            ("n,,m=x,n=u,r=x", .extensionRequired), ("n,,n=u\0v,r=x", .malformed),
        ] as [(String, ScramError)])
    func refusesFirst(message: String, error: ScramError) {
        #expect(throws: error) { try ScramClientFirst(parsing: Array(message.utf8)) }
    }

    @Test("unknown optional extensions are passed over, as RFC 5802 §5.1 asks")
    func ignoresExtensions() throws {
        #expect(
            try ScramClientFirst(parsing: Array("n,a=other,n=u,r=x,q=1,z=2".utf8)).authorizationName
                == "other")
    }

    @Test("a final message that was cut or altered anywhere is refused")
    func refusesAlteredFinal() throws {
        var client = ScramClient(
            name: "user", password: "pencil", binding: .notOffered, entropy: Self.clientNonce)
        let server = try Self.server(client.firstMessage)
        let final = try client.respond(to: server.firstMessage)
        for length in 0..<final.count {
            #expect(throws: ScramError.self) { try server.finalMessage(answering: Array(final[..<length])) }
        }
        for index in final.indices {
            var altered = final
            altered[index] ^= 0x02
            #expect(throws: ScramError.self) { try server.finalMessage(answering: altered) }
        }
        _ = try server.finalMessage(answering: final)
    }

    @Test(
        "a server that asks too little, too much, or for another nonce is left",
        arguments: [
            ("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095", .badIterations),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000", .badIterations),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999", .malformed),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-1", .malformed),
            ("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", .nonceMismatch),
            ("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", .nonceMismatch),
            ("r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096", .malformed),
            ("m=x,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", .extensionRequired),
            ("e=other-error", .malformed),
        ] as [(String, ScramError)])
    func leavesBadServers(message: String, error: ScramError) {
        var client = ScramClient(
            name: "user", password: "pencil", binding: .unsupported, entropy: Self.clientNonce)
        #expect(throws: error) { try client.respond(to: Array(message.utf8)) }
        #expect(!client.isServerVerified)
    }

    @Test("a server that only pretends to know the password is found out")
    func demandsSignature() throws {
        for (last, error) in [
            ("v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", ScramError.badServerSignature),
            ("v=x", .badServerSignature),
            ("e=invalid-proof", .serverRefused("invalid-proof")), ("", .malformed), ("x=y", .malformed),
        ] {
            var client = ScramClient(
                name: "user", password: "pencil", binding: .unsupported, entropy: Self.clientNonce)
            _ = try client.respond(to: Self.server(client.firstMessage).firstMessage)
            #expect(throws: error) { try client.respond(to: Array(last.utf8)) }
            #expect(!client.isServerVerified)
        }
    }

    @Test("a verifier takes its password and no other; a decoy takes none and stays the same")
    func verifies() {
        #expect(Self.verifier.accepts(password: Array("pencil".utf8)))
        #expect(!Self.verifier.accepts(password: Array("Pencil".utf8)))
        let secret = [UInt8](repeating: 1, count: 16)
        let decoy = ScramVerifier(decoyFor: "ghost", secret: secret, iterations: 4_096)
        #expect(decoy == ScramVerifier(decoyFor: "ghost", secret: secret, iterations: 4_096))
        #expect(decoy.salt != ScramVerifier(decoyFor: "ghosts", secret: secret, iterations: 4_096).salt)
        #expect(decoy.salt.count == ScramVerifier.saltOctets)
        #expect(!decoy.accepts(password: Array("pencil".utf8)))
    }
}
