import Cryptography

/// Account files of any shape are refused or mean the same when they are written again; prepared text stays
/// as it is.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: data, count: count))
    if let accounts = try? AccountFile.parse(octets) {
        precondition(
            (try? AccountFile.parse(AccountFile.text(of: accounts))) == accounts,
            "what is written is read again")
    }
    let text = String(decoding: octets, as: UTF8.self)
    if let name = PreparedName(text) {
        precondition(
            PreparedName(name.text)?.text.utf8.elementsEqual(name.text.utf8) == true,
            "names are prepared once")
    }
    if let password = OpaqueString(text) {
        precondition(OpaqueString(password.text)?.octets == password.octets, "passwords are prepared once")
    }
    return 0
}
