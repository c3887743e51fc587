import MailValues
import Testing

@Suite("Addresses and networks")
struct IPAddressTests {
    struct Case: Sendable {
        let text: String
        let shown: String?
        init(_ text: String, _ shown: String?) {
            self.text = text
            self.shown = shown
        }
    }

    @Test(
        "an address is read strictly and shown canonically",
        arguments: [
            Case("192.0.2.1", "192.0.2.1"),
            Case("0.0.0.0", "0.0.0.0"),
            Case("255.255.255.255", "255.255.255.255"),
            Case("256.0.0.1", nil),
            Case("010.0.0.1", nil),
            Case("1.2.3", nil),
            Case("1.2.3.4.5", nil),
            Case("1.2.3.", nil),
            Case("1.2.3.4 ", nil),
            Case("", nil),
            Case("::", "::"),
            Case("::1", "::1"),
            Case("1::", "1::"),
            Case("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"),
            Case("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            Case("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            Case("::ffff:192.0.2.1", "192.0.2.1"),
            Case("::ffff:c000:201", "192.0.2.1"),
            Case("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
            Case("1:2:3:4:5:6:7:8:9", nil),
            Case("1:2:3:4:5:6:7", nil),
            Case("1::2::3", nil),
            Case(":1::2", nil),
            Case("1:2:3:4:5:6:7:", nil),
            Case("12345::", nil),
            Case("g::", nil),
            Case("+1::", nil),
            Case("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
            Case("1:2:3:4:5:6:7:8::", nil),
            Case("fe80::1%eth0", nil),
        ])
    func readsAndShows(_ sample: Case) {
        #expect(IPAddress(sample.text)?.description == sample.shown)
    }

    @Test("octets lead back to the address", arguments: ["192.0.2.7", "2001:db8::7", "::"])
    func octetsLeadBack(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(IPAddress(octets: address.octets) == address)
    }

    @Test("sixteen octets of a mapped address are IPv4")
    func mappedOctets() {
        let mapped: [UInt8] = Array(repeating: 0, count: 10) + [0xFF, 0xFF, 10, 0, 0, 1]
        #expect(IPAddress(octets: mapped) == IPAddress("10.0.0.1"))
        #expect(IPAddress(octets: [1, 2, 3]) == nil)
    }

    struct Membership: Sendable {
        let network: String
        let address: String
        let isInside: Bool
        init(_ network: String, _ address: String, _ isInside: Bool) {
            self.network = network
            self.address = address
            self.isInside = isInside
        }
    }

    @Test(
        "a network holds what shares its prefix, of its own family only",
        arguments: [
            Membership("10.0.0.0/8", "10.255.0.1", true),
            Membership("10.0.0.0/8", "11.0.0.1", false),
            Membership("0.0.0.0/0", "203.0.113.9", true),
            Membership("0.0.0.0/0", "2001:db8::1", false),
            Membership("::/0", "203.0.113.9", false),
            Membership("192.0.2.1", "192.0.2.1", true),
            Membership("192.0.2.1/32", "192.0.2.2", false),
            Membership("2001:db8::/32", "2001:db8:ffff::1", true),
            Membership("2001:db8::/33", "2001:db8:ffff::1", false),
            Membership("2001:db8::/65", "2001:db8::8000:0:0:1", false),
            Membership("2001:db8::1/128", "2001:db8::1", true),
            Membership("::ffff:10.0.0.0/104", "10.9.9.9", true),
            Membership("10.0.0.99/8", "10.1.1.1", true),
        ])
    func membership(_ sample: Membership) throws {
        let network = try #require(Network(sample.network))
        let address = try #require(IPAddress(sample.address))
        #expect(network.contains(address) == sample.isInside)
        #expect(NetworkSet([network]).contains(address) == sample.isInside)
    }

    @Test(
        "text that is no network is refused",
        arguments: ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "/8", "::/129", "10/8"])
    func refusesText(_ text: String) {
        #expect(Network(text) == nil)
    }

    @Test("of several networks the most specific one answers")
    func mostSpecific() throws {
        let wide = try #require(Network("10.0.0.0/8"))
        let narrow = try #require(Network("10.1.0.0/16"))
        let set = NetworkSet([wide, narrow])
        #expect(set.network(containing: try #require(IPAddress("10.1.2.3"))) == narrow)
        #expect(set.network(containing: try #require(IPAddress("10.2.2.3"))) == wide)
        #expect(set.network(containing: try #require(IPAddress("11.0.0.0"))) == nil)
    }
}
