import MailValues
import Testing

@Suite("Queue ids")
struct QueueIDTests {
    private let samples = [
        QueueID(high: 0, low: 0), QueueID(high: .max, low: .max),
        QueueID(
            at: Timestamp(milliseconds: 1_764_000_000_123), entropyHigh: 0xABCD,
            entropyLow: 0x0123_4567_89AB_CDEF),
    ]

    @Test("text and octets lead back to the id")
    func leadsBack() {
        for id in samples {
            #expect(QueueID(id.description) == id)
            #expect(QueueID(id.description.lowercased()) == id)
            #expect(QueueID(octets: id.octets) == id)
            #expect(id.description.utf8.count == 26)
        }
    }

    @Test("the published example of a ULID reads as it should")
    func knownText() {
        #expect(QueueID("01ARZ3NDEKTSV4RRFFQ69G5FAV")?.time.milliseconds == 1_469_922_850_259)
    }

    @Test("ids sort by time, as numbers, as octets and as text")
    func sorts() {
        let early = QueueID(at: Timestamp(milliseconds: 1000), entropyHigh: .max, entropyLow: .max)
        let late = QueueID(at: Timestamp(milliseconds: 1001), entropyHigh: 0, entropyLow: 0)
        #expect(early < late)
        #expect(early.octets.lexicographicallyPrecedes(late.octets))
        #expect(early.description < late.description)
    }

    @Test(
        "what is no id is refused",
        arguments: [
            "", "01ARZ3NDEKTSV4RRFFQ69G5FA", "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAU",
        ])
    func refuses(_ text: String) {
        #expect(QueueID(text) == nil)
    }
}
