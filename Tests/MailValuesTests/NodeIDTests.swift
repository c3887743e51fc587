import Testing

@testable import MailValues

@Suite struct NodeIDTests {
    @Test("octets and digits are the same value, and nothing but 32 octets is a node")
    func roundTrips() throws {
        let octets = (0..<32).map { UInt8($0 * 7 + 3) }
        let node = try #require(NodeID(octets: octets))
        #expect(node.octets == octets)
        #expect(NodeID(hex: node.hex) == node)
        #expect(NodeID(hex: node.hex.uppercased()) == node)
        #expect(node.description == "030a11181f262d34" && node.hex.hasPrefix(node.description))
        for count in [0, 31, 33] { #expect(NodeID(octets: [UInt8](repeating: 0, count: count)) == nil) }
        #expect(NodeID(hex: "0g" + node.hex.dropFirst(2)) == nil)
        #expect(NodeID(hex: node.hex.dropFirst(2)) == nil)
    }

    @Test("nodes sort as their octets do")
    func sorts() {
        func node(_ place: Int, _ value: UInt8) -> NodeID {
            var octets = [UInt8](repeating: 1, count: 32)
            octets[place] = value
            return NodeID(octets: octets)!
        }
        for place in 0..<32 {
            #expect(node(place, 2) < node(place, 255))
            #expect(node(place, 0) < node(place, 1))
        }
        #expect(node(0, 0) < node(31, 0))
    }

    @Test("uptimes add, subtract and compare by the millisecond")
    func measures() {
        let moment = Uptime.start + .seconds(2)
        #expect(moment == Uptime(milliseconds: 2_000))
        #expect(moment - .milliseconds(1) < moment)
        #expect(moment - Uptime.start == .seconds(2))
    }
}
