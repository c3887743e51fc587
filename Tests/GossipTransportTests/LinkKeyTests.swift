import GossipTransport
import Testing

@Suite("Link keys")
struct LinkKeyTests {
    @Test("a pair can be kept by its secret alone")
    func secretIsAll() throws {
        let pair = try LinkKeyPair.generate()
        #expect(LinkKeyPair(secret: pair.secret) == pair)
        #expect(try LinkKeyPair.generate() != pair)
        #expect(LinkKeyPair(secret: [1, 2, 3]) == nil)
        #expect(LinkKey(octets: [UInt8](repeating: 7, count: 33)) == nil)
    }
}
