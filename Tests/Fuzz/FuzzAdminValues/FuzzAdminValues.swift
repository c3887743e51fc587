import AdminProtocol

/// What an operator or a node writes as a time, a span or a pattern is read or refused, and read back as it was.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: data, count: count), as: UTF8.self)
    if let moment = Moment(text) {
        let year = text.utf8.prefix(4)
        // An offset can carry the first and the last hours out of the years of four digits.
        if !year.elementsEqual("0000".utf8) && !year.elementsEqual("9999".utf8) {
            precondition(Moment(moment.description) == moment, "a time comes back from its text")
        }
    }
    if let span = Span(text) {
        precondition(Span(span.description) == span, "a span comes back from its text")
    }
    let pattern = AddressPattern(text)
    if !text.utf8.contains(0x2A) && text.utf8.first != 0x40 && text != "<>" {
        precondition(pattern.matches(text), "a pattern without stars means itself")
    }
    _ = pattern.matches("someone@example.org")
    for name in QueueFilter.Name.allCases {
        guard let filter = try? QueueFilter(pairs: [(name.rawValue, text)]) else { continue }
        precondition((try? QueueFilter(pairs: filter.pairs)) == filter, "a filter comes back from its pairs")
    }
    return 0
}
