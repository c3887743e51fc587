import DNSRecords

/// A zone signed once for the tests, `signed.example`, ECDSA P-256; its signatures hold until 2092. The
/// private key is gone.
enum SignedZone {
    static let trustAnchor =
        "signed.example. IN DNSKEY 257 3 13 "
        + "aPrydQIbsshjRgcLIQSKr0kgweKq/SONrweElK8kDf1GeOF8o5d3+3K73tRHoNN97VPluxajdFZgzl5Hxwil8w=="

    /// Fills a server with the zone. `isTampered`: its mail host's address is another than the one that was
    /// signed.
    static func fill(_ server: LoopbackNameServer, isTampered: Bool = false) {
        let key: [UInt8] = [1, 1, 3, 13] + base64(String(trustAnchor.split(separator: " ").last ?? ""))
        set(server, "signed.example", 48, key, signature: dnskeySignature)
        set(
            server, "signed.example", 15, [0, 10] + DNSName.wire("mx.signed.example"), signature: mxSignature)
        set(server, "mx.signed.example", 1, [192, 0, 2, isTampered ? 26 : 25], signature: addressSignature)
        set(server, "_25._tcp.mx.signed.example", 52, [3, 1, 1] + (0..<32), signature: tlsaSignature)
    }

    private static func set(
        _ server: LoopbackNameServer, _ name: String, _ type: UInt16, _ data: [UInt8], signature: String
    ) {
        server.set(
            name, number: type,
            .records([
                LoopbackNameServer.Record(name: name, type: type, data: data),
                LoopbackNameServer.Record(name: name, type: 46, data: hexadecimal(signature)),
            ]))
    }

    private static func hexadecimal(_ text: String) -> [UInt8] {
        let digits = text.utf8.map { UInt8($0 <= 0x39 ? $0 - 0x30 : $0 - 0x57) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    private static func base64(_ text: String) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var octets: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for letter in text.utf8 {
            guard let value = alphabet.firstIndex(of: letter) else { break }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                octets.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return octets
    }

    private static let dnskeySignature =
        "00300d020000012ce5920070659200802f05067369676e6564076578616d706c6500c2b3b7828687ad54028cf3ea6f78"
        + "8de2559582614bbeb0d9ada5c0446af9c1aec07f4466d1e2b148054f6c62893fb950a4d3385fd8ba8a5c208a66760110"
        + "4bbc"
    private static let mxSignature =
        "000f0d020000012ce5920070659200802f05067369676e6564076578616d706c65007c4133e00c69e70bc2cae58c7095"
        + "892618929c23aff0932c5510e2a9868ab697ce54c6310bb0f9ce5415b917792c6727174d0fe01c313d3c95e7fdadbeae"
        + "b79d"
    private static let addressSignature =
        "00010d030000012ce5920070659200802f05067369676e6564076578616d706c6500a1da93b67200d0303a05c0e295d5"
        + "43588e103376b713fe2f730ffa0b65d209d10f1bd308494d68de1170a92e40cd27584818252d75329f7767da9884ebc1"
        + "ba82"
    private static let tlsaSignature =
        "00340d050000012ce5920070659200802f05067369676e6564076578616d706c6500350cf9338040bf256078e87399bc"
        + "4e0712b678cca72d625a1d32de5ab69c2e258ec31665bca8d866f259dc2b8aa709731f9484fb725aa4ba09b0a384498f"
        + "1120"
}
