import Glibc
import Testing

@testable import RelayNode

@Suite("Whom a node becomes")
struct ConfigurationUserTests {
    @Test("is told to be a bad choice where it is root", arguments: [("root", true), ("nobody", false)])
    func root(_ user: String, _ isWarned: Bool) throws {
        try withFolder { folder in
            let file = "\(folder)/chappe.yaml"
            let text = """
                hostname: mx.example.org
                postmaster: postmaster@example.org
                user: \(user)
                group: nogroup
                listeners: [{kind: inside, address: "127.0.0.1:25", tls: none}]
                """
            let stream = try #require(fopen(file, "w"))
            fputs(text, stream)
            fclose(stream)
            let (plan, problems) = NodePlan.examine(path: file)
            #expect(plan != nil)
            let words = problems.map(\.description).filter { $0.contains("`user`") }
            #expect(words.count == (isWarned ? 1 : 0))
            let told = "3:7: warning: `user`: the node keeps the rights of root"
            #expect(words.allSatisfy { $0.hasPrefix(told) }, "\(words)")
        }
    }
}
