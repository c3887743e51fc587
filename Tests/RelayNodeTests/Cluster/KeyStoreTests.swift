import Cryptography
import Glibc
import Testing

@testable import RelayNode

@Suite struct KeyStoreTests {
    @Test("what is created is loaded, its owner alone can read it, and it is never written over")
    func creates() throws {
        try withFolder { folder in
            let store = KeyStore(path: "\(folder)/node.key", purpose: .node)
            let key = Ed25519PrivateKey.generate()
            #expect(!store.exists)
            try store.create(key)
            #expect(try store.load() == key)
            var status = stat()
            #expect(stat(store.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
            #expect(throws: KeyStoreError.exists(file: store.path)) { try store.create(.generate()) }
            #expect(try store.load() == key)
            #expect(names(in: folder) == ["node.key"])
        }
    }

    @Test("a key that others may read is refused", arguments: [0o640, 0o604, 0o660] as [mode_t])
    func refusesPublic(mode: mode_t) throws {
        try withFolder { folder in
            let store = KeyStore(path: "\(folder)/operator.key", purpose: .operator)
            try store.create(.generate())
            chmod(store.path, mode)
            #expect(throws: KeyStoreError.notPrivate(file: store.path, mode: UInt32(mode))) {
                try store.load()
            }
        }
    }

    @Test("the operator's key is no node's, and no file is no key")
    func refusesOthers() throws {
        try withFolder { folder in
            let path = "\(folder)/key"
            try KeyStore(path: path, purpose: .operator).create(.generate())
            #expect(throws: KeyStoreError.malformed(file: path, .otherPurpose(.operator))) {
                try KeyStore(path: path, purpose: .node).load()
            }
            let missing = KeyStore(path: "\(folder)/none", purpose: .node)
            #expect(throws: KeyStoreError.self) { try missing.load() }
        }
    }
}
