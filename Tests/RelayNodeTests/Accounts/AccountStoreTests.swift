import Cryptography
import Glibc
import Testing

@testable import RelayNode

@Suite struct AccountStoreTests {
    @Test("what is saved is loaded, its owner alone can read it, and nothing else is left behind")
    func saves() throws {
        try withFolder { folder in
            let store = AccountStore(path: "\(folder)/accounts")
            let accounts = [
                Self.account("alice", "pencil"), Self.account("bob", "eraser"),
            ]
            try store.save([accounts[0]])
            try store.save(accounts)
            #expect(try store.load() == accounts)
            var status = stat()
            #expect(stat(store.path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
            #expect(names(in: folder) == ["accounts"])
        }
    }

    @Test("a file that others may read is refused", arguments: [0o640, 0o604] as [mode_t])
    func refusesPublic(mode: mode_t) throws {
        try withFolder { folder in
            let store = AccountStore(path: "\(folder)/accounts")
            try store.save([])
            chmod(store.path, mode)
            #expect(throws: AccountStoreError.notPrivate(file: store.path, mode: UInt32(mode))) {
                try store.load()
            }
        }
    }

    @Test("a save that fails leaves the old file and no other")
    func keepsOld() throws {
        try withFolder { folder in
            let store = AccountStore(path: "\(folder)/folder")
            mkdir(store.path, 0o700)
            #expect(throws: AccountStoreError.self) {
                try store.save([Self.account("alice", "pencil")])
            }
            #expect(names(in: folder) == ["folder"])
        }
        #expect(
            throws: AccountStoreError.failed(
                file: "/nonexistent/accounts", reason: "No such file or directory")
        ) {
            try AccountStore(path: "/nonexistent/accounts").load()
        }
    }

    private static func account(_ name: String, _ password: String) -> Account {
        Account(
            name: PreparedName(name)!,
            verifier: ScramVerifier(password: Array(password.utf8), salt: [1, 2, 3], iterations: 4_096),
            senders: ["*"])
    }
}
