import AdminClient

/// Whatever answers on the admin socket, the command reads it within bounds, and a body is no longer than what came.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: data, count: count))
    guard let answer = try? HTTPAnswer(octets) else { return 0 }
    precondition((200...999).contains(answer.status), "a status has three digits")
    precondition(answer.body.count < count, "a body is part of what came")
    return 0
}
