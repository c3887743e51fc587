import Cryptography

/// Messages of SCRAM in any shape, on both sides: no proof is taken that was not made with the password.
///
/// Lines of the input: the client's first message, its final one, the server's first and its last.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: data, count: count))
    let lines = octets.split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false).map(Array.init)
    if let first = try? ScramClientFirst(parsing: lines[0]) {
        for isPlus in [false, true] {
            let binding = ScramServer.Binding(
                isPlus: isPlus, wasOffered: isPlus, exporter: Array(repeating: 1, count: 32))
            let entropy = [UInt8](repeating: 2, count: ScramServer.nonceOctets)
            guard let server = try? ScramServer(first, verifier: verifier, binding: binding, entropy: entropy)
            else { continue }
            guard lines.count > 1 else { continue }
            let answer = try? server.finalMessage(answering: lines[1])
            precondition(answer == nil, "nobody knows the password")
        }
        if let name = PreparedName(first.name) {
            precondition(PreparedName(name.text)?.text == name.text, "what is prepared stays as it is")
        }
    }
    // The iterations are real work: two milliseconds is what an input may cost.
    if lines.count > 2,
        !lines[2].suffix(32).split(separator: 0x3D).contains(where: {
            $0.count > 4 && $0.prefix(5).allSatisfy(isDigit)
        })
    {
        var client = ScramClient(
            name: "user", password: "pencil", binding: .notOffered, entropy: Array(0..<18))
        if (try? client.respond(to: lines[2])) != nil, lines.count > 3 {
            _ = try? client.respond(to: lines[3])
        }
        precondition(!client.isServerVerified, "nobody knows the server's key")
    }
    if let plain = Base64.decode(octets, limit: 512) {
        precondition(plain.count <= 512 && Base64.encode(plain) == octets, "one value has one spelling")
    }
    return 0
}

private func isDigit(_ octet: UInt8) -> Bool { octet >= 0x30 && octet <= 0x39 }

private let verifier = ScramVerifier(
    decoyFor: "fuzz", secret: Array(repeating: 0, count: 16), iterations: 4_096)
