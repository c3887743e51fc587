import DNSRecords
import MailValues
import Testing

@Suite("Record data") struct RecordDataTests {
    @Test("MX has a preference and a host, or the root for null MX")
    func mx() {
        let data: [UInt8] = [0, 10] + DNSName.wire("mx.example.org")
        #expect(RecordData.mx(data) == MXRecord(preference: 10, exchange: "mx.example.org"))
        #expect(RecordData.mx([0, 0, 0]) == MXRecord(preference: 0, exchange: ""))
        #expect(
            RecordData.mx([1, 2] + DNSName.wire("MX.Example"))
                == MXRecord(preference: 258, exchange: "mx.example"))
        for end in 0..<data.count { #expect(RecordData.mx(Array(data[..<end])) == nil) }
        #expect(RecordData.mx(data + [0]) == nil)
    }

    @Test("addresses have four or sixteen octets")
    func addresses() {
        #expect(RecordData.a([192, 0, 2, 1]) == IPAddress("192.0.2.1"))
        #expect(
            RecordData.aaaa([0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
                == IPAddress("2001:db8::1"))
        #expect(RecordData.a([192, 0, 2]) == nil)
        #expect(RecordData.aaaa([192, 0, 2, 1]) == nil)
        #expect(RecordData.a(Array(repeating: 0, count: 16)) == nil)
    }

    @Test("the strings of TXT are joined, and must fill the record")
    func txt() {
        #expect(RecordData.txt([1, 0x61, 0, 2, 0x62, 0xFF]) == [0x61, 0x62, 0xFF])
        #expect(RecordData.txt([0]) == [])
        #expect(RecordData.txt([]) == nil)
        #expect(RecordData.txt([2, 0x61]) == nil)
        #expect(RecordData.txt([1, 0x61, 1]) == nil)
    }

    @Test("PTR is one name and nothing else")
    func ptr() {
        #expect(RecordData.name(DNSName.wire("host.example")) == "host.example")
        #expect(RecordData.name(DNSName.wire("host.example") + [1]) == nil)
        #expect(RecordData.name([]) == nil)
    }

    @Test("TLSA has three numbers and what they speak of")
    func tlsa() {
        let record = TLSARecord(usage: 3, selector: 1, matchingType: 1, association: [7, 8])
        #expect(RecordData.tlsa([3, 1, 1, 7, 8]) == record)
        #expect(RecordData.tlsa([3, 1, 1]) == nil)
    }
}
