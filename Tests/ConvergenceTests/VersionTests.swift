import Convergence
import Testing

@Suite struct VersionTests {
    @Test("a new incarnation is above every word of the last")
    func sorts() {
        #expect(
            Version(incarnation: 1, counter: .max) < Version(incarnation: 2, counter: 0))
        #expect(Version(incarnation: 2, counter: 4) < Version(incarnation: 2, counter: 5))
        #expect(FactKind(rawValue: 1) > .floor)
    }
}
