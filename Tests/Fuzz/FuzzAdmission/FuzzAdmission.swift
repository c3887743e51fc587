import Cryptography
import MailValues

@testable import Membership

/// Any octets at the door: nobody comes in, and what can be read is written and read again as the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: data, count: count))
    if let admission = Admission(decoding: octets) {
        precondition(Admission(decoding: admission.octets) == admission, "what is written is read again")
    }
    if let certificate = LinkCertificate(decoding: octets) {
        precondition(
            LinkCertificate(decoding: certificate.octets) == certificate, "what is written is read again")
    }
    if let introduction = Introduction(decoding: octets) {
        precondition(
            Introduction(decoding: introduction.octets) == introduction, "what is written is read again")
    }
    _ = JoinAnswer(decoding: octets)
    _ = Token(String(decoding: octets, as: UTF8.self))
    var book = AdmissionBook(cluster: cluster, operatorKey: key.publicKey)
    let actions = Doorkeeper(identity: key).handle(
        octets, from: [UInt8](repeating: 1, count: 32), book: &book, introductions: [],
        now: Timestamp(seconds: 1))
    precondition(actions.count == 2 && book.members.isEmpty, "nobody comes in without a token")
    return 0
}

private let key = Ed25519PrivateKey(seed: [UInt8](repeating: 5, count: 32))!
private let cluster = ClusterID(octets: [UInt8](repeating: 7, count: 16))!
