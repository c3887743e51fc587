import DNSRecords
import MailValues
import Testing

@Suite("Dialable addresses") struct DialableAddressTests {
    @Test(
        "what a stranger's DNS names is dialled only if it is on the Internet",
        arguments: [
            ("8.8.8.8", nil), ("0.0.0.0", .unspecified), ("0.1.2.3", .unspecified), ("1.0.0.0", nil),
            ("9.255.255.255", nil), ("10.0.0.0", .privateUse), ("10.255.255.255", .privateUse),
            ("11.0.0.0", nil),
            ("100.63.255.255", nil), ("100.64.0.1", .sharedSpace), ("100.127.255.255", .sharedSpace),
            ("100.128.0.0", nil),
            ("127.0.0.1", .loopback), ("127.255.255.255", .loopback), ("169.254.169.254", .linkLocal),
            ("172.15.255.255", nil), ("172.16.0.1", .privateUse), ("172.31.255.255", .privateUse),
            ("172.32.0.0", nil),
            ("192.0.0.8", .protocolAssignment), ("192.0.2.1", nil), ("192.88.99.1", .transition),
            ("192.168.1.1", .privateUse), ("192.169.0.0", nil), ("198.18.0.1", .benchmark),
            ("198.19.255.255", .benchmark),
            ("198.20.0.0", nil), ("198.51.100.1", nil), ("203.0.113.1", nil), ("223.255.255.255", nil),
            ("224.0.0.1", .multicast), ("239.255.255.255", .multicast), ("240.0.0.1", .reserved),
            ("255.255.255.255", .reserved),
            ("::", .unspecified), ("::1", .loopback), ("::2", .transition), ("::127.0.0.1", .transition),
            ("::ffff:127.0.0.1", .loopback), ("::ffff:8.8.8.8", nil), ("::ffff:0:8.8.8.8", .reserved),
            ("64:ff9b::8.8.8.8", nil), ("64:ff9b::10.0.0.1", .privateUse), ("64:ff9b::127.0.0.1", .loopback),
            ("64:ff9b:1::8.8.8.8", .transition), ("100::1", .reserved), ("2000::1", nil),
            ("2001::1", .protocolAssignment),
            ("2001:1ff:ffff::1", .protocolAssignment), ("2001:200::1", nil), ("2001:db8::1", nil),
            ("2002:7f00:1::1", .transition), ("2003::1", nil), ("2606:4700::1111", nil),
            ("3fff:ffff::1", nil),
            ("4000::1", .reserved), ("fc00::1", .privateUse), ("fdff::1", .privateUse),
            ("fe00::1", .reserved),
            ("fe80::1", .linkLocal), ("febf::1", .linkLocal), ("fec0::1", .privateUse),
            ("ff02::1", .multicast),
        ] as [(String, SpecialPurpose?)]
    )
    func table(_ text: String, _ purpose: SpecialPurpose?) throws {
        let address = try #require(IPAddress(text))
        #expect(address.specialPurpose == purpose)
        #expect(address.isPubliclyDialable == (purpose == nil))
    }
}
