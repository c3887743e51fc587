import Testing

@testable import Intake

@Suite struct RecentTableTests {
    @Test("a table never holds more than twice its capacity, and keeps what was written last")
    func forgets() {
        var table = RecentTable<Int, Int>(capacity: 10)
        for number in 0..<1_000 {
            table[number] = number
            #expect(table.count <= 20)
            #expect(table[number] == number)
            if number >= 9 { #expect(table[number - 9] == number - 9) }
        }
        #expect(table[0] == nil)
        table[999] = nil
        #expect(table[999] == nil)
    }

    @Test("writing again keeps an entry alive")
    func renews() {
        var table = RecentTable<Int, Int>(capacity: 10)
        table[-1] = 0
        for number in 0..<1_000 {
            table[number] = number
            if number % 5 == 0 { table[-1] = number }
            #expect(table[-1] != nil)
        }
    }
}
