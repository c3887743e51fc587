import MailValues
import Testing

@testable import RelayNode

@Suite("What counts as our own address")
struct InterfaceAddressesTests {
    @Test("an address that we listen on is ours")
    func keepsAddresses() {
        let address = IPAddress("203.0.113.5")!
        #expect(InterfaceAddresses.reachable(at: [address]) == [address])
    }

    @Test(
        "a wildcard is no address, and loopback is nobody's: an MX with 127.0.0.1 beside a good address keeps the good one",
        arguments: ["0.0.0.0", "::", "127.0.0.1", "127.7.7.7", "::1"])
    func leavesOutPlaceholders(_ text: String) {
        let address = IPAddress(text)!
        let reached = InterfaceAddresses.reachable(at: [address])
        #expect(!reached.contains(address))
        #expect(reached.allSatisfy { $0.isV4 == address.isV4 && !"\($0)".hasPrefix("127.") })
    }
}
