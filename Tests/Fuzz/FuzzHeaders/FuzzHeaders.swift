import MessageFormat

/// Headers of any shape are scanned and edited within their bounds, and the same however they were cut into
/// pieces.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: data, count: count))
    let rules = HeaderRules(authenticationServiceIDs: ["mx.example.org"])
    let edit = HeaderEdit([octets], rules: rules)
    let result = Array(edit.content(prepending: [0x54]).joined())
    precondition(result.count <= octets.count + 3, "an edit removes fields and adds one line end")
    _ = edit.fromDomains()
    _ = edit.senderAddresses()
    _ = edit.values(of: "from")
    for field in edit.scan.fields {
        _ = authorAddresses(inFieldValue: octets[field.valueOctets])
        _ = ContentType(octets[field.valueOctets])
    }
    let cut = count == 0 ? 0 : Int(octets[0]) % count
    let halves = HeaderEdit([Array(octets[..<cut]), Array(octets[cut...])], rules: rules)
    precondition(Array(halves.content(prepending: [0x54]).joined()) == result, "pieces change nothing")
    let again = HeaderEdit([Array(result.dropFirst())], rules: rules)
    precondition(
        edit.isTooLong || edit.scan.mailboxLineOctets > 0 || again.removed.isEmpty, "all of it is gone")
    return 0
}
