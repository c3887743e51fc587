import MessageFormat

/// A message of any shape is walked through within its bounds, and its leaves are the same however it was cut.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let octets = Array(UnsafeBufferPointer(start: data, count: count))
    let whole = Leaves(of: [octets])
    precondition(whole.octets.count <= count, "nothing grows when an encoding is taken off")
    precondition(whole.ends.count <= MIMEWalk.Limits().partsMost, "only so many parts are looked at")
    let cut = count == 0 ? 0 : Int(octets[count / 2]) % count
    precondition(
        Leaves(of: [Array(octets[..<cut]), Array(octets[cut...])]) == whole, "a cut changes nothing")
    precondition(Leaves(of: octets.map { [$0] }) == whole, "nor do many")
    return 0
}

private struct Leaves: LeafTaker, Equatable {
    var octets: [UInt8] = []
    var ends: [Int] = []
    private var kind: MIMEWalk.LeafKind?

    init(of pieces: [[UInt8]]) {
        var walk = MIMEWalk()
        for piece in pieces { walk.take(piece, &self) }
        walk.finish(&self)
    }

    mutating func take(_ piece: UnsafeRawBufferPointer, of kind: MIMEWalk.LeafKind) {
        precondition(self.kind == nil || self.kind == kind, "one leaf at a time")
        self.kind = kind
        octets.append(contentsOf: piece)
    }

    mutating func ended(_ kind: MIMEWalk.LeafKind) {
        precondition(self.kind == nil || self.kind == kind, "a leaf ends as it began")
        self.kind = nil
        ends.append(octets.count)
    }
}
