/// The words of a line, divided by spaces.
struct Words {
    private let octets: Octets
    private var index = 0

    init(_ octets: Octets) { self.octets = octets }

    mutating func next() -> Octets? {
        while index < octets.count, octets[index] == 0x20 { index += 1 }
        let start = index
        while index < octets.count, octets[index] != 0x20 { index += 1 }
        return index > start ? octets.part(start..<index) : nil
    }
}
