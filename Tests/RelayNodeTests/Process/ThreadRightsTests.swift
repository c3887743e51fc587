import Glibc
import Testing

@testable import RelayNode

@Suite("What is left of root in a thread")
struct ThreadRightsTests {
    private static let nobody = Privileges.Identity(user: 65534, group: 65534)

    private static func status(
        users: String = "65534\t65534\t65534\t65534", groups: String = "65534\t65534\t65534\t65534",
        capabilities: String = "0000000000000000"
    ) -> String {
        """
        Name:\tchapped
        State:\tS (sleeping)
        Uid:\t\(users)
        Gid:\t\(groups)
        Groups:\t65534
        CapInh:\t0000000000000000
        CapPrm:\t\(capabilities)
        CapEff:\t0000000000000000
        CapBnd:\t000001ffffffffff

        """
    }

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var text: String
        var isClean: Bool
    }

    @Test(
        "is seen in each user, each group and each capability but that of binding",
        arguments: [
            Case(testDescription: "nothing", text: status(), isClean: true),
            Case(testDescription: "binding", text: status(capabilities: "0000000000000400"), isClean: true),
            Case(testDescription: "real user", text: status(users: "0 65534 65534 65534"), isClean: false),
            Case(testDescription: "saved user", text: status(users: "65534 65534 0 65534"), isClean: false),
            Case(testDescription: "group", text: status(groups: "65534 65534 65534 0"), isClean: false),
            Case(
                testDescription: "all of root", text: status(capabilities: "000001ffffffffff"), isClean: false
            ),
            Case(
                testDescription: "binding and more", text: status(capabilities: "0000000000000401"),
                isClean: false),
        ])
    func judgement(_ example: Case) throws {
        let rights = try #require(ThreadRights(status: example.text))
        #expect(rights.isOnly(Self.nobody) == example.isClean)
    }

    @Test("is not guessed where the kernel says something else")
    func foreignText() {
        #expect(ThreadRights(status: "") == nil)
        #expect(ThreadRights(status: "Uid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\n") == nil)
        #expect(ThreadRights(status: Self.status(users: "65534")) == nil)
    }

    @Test("is found in this very process, and by the name of its user is none")
    func ourselves() {
        let own = Privileges.Identity(user: geteuid(), group: getegid())
        let other = Privileges.Identity(user: own.user &+ 1, group: own.group)
        #expect(ThreadRights.excess(over: other)?.hasPrefix("thread ") == true)
        #expect(ThreadRights.excess(over: own, in: "/nonexistent")?.hasPrefix("/nonexistent ") == true)
        // An empty folder tells of no thread, and that is no proof.
        #expect(ThreadRights.excess(over: own, in: "/proc/self/attr") != nil)
        if own.user != 0 { #expect(ThreadRights.excess(over: own) == nil) }
    }
}
