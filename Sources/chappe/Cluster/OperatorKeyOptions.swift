import ArgumentParser
import Cryptography
import Glibc
import RelayNode

/// Where the operator's key lies. No message repeats what the file holds.
struct OperatorKeyOptions: ParsableArguments {
    @Option(
        name: .customLong("operator-key"),
        help: "The operator's key; also CHAPPE_OPERATOR_KEY; else ~/.config/chappe/operator.key.")
    var named: String?

    var path: String {
        if let named { return named }
        if let named = Self.environment("CHAPPE_OPERATOR_KEY") { return named }
        return Self.home + "/.config/chappe/operator.key"
    }

    func load() throws -> Ed25519PrivateKey {
        let store = KeyStore(path: path, purpose: .operator)
        guard store.exists else {
            throw Complaint(
                "this needs the operator's key, and \(path) is not there: `chappe init` wrote it where the cluster "
                    + "was founded, and it may have been copied away since; say --operator-key FILE or set "
                    + "CHAPPE_OPERATOR_KEY")
        }
        do {
            return try store.load()
        } catch {
            throw Complaint("the operator's key cannot be used: \(error.description)")
        }
    }

    /// The key that is there, or a new one. A key is never written over: what it commands could not be
    /// commanded again.
    func loadOrMake() throws -> (key: Ed25519PrivateKey, isNew: Bool) {
        let store = KeyStore(path: path, purpose: .operator)
        guard !store.exists else { return (try load(), false) }
        if let slash = path.lastIndex(of: "/") { try Self.makeFolder(String(path[..<slash])) }
        let key = Ed25519PrivateKey.generate()
        do {
            try store.create(key)
        } catch {
            throw Complaint("the operator's key cannot be kept: \(error.description)")
        }
        return (key, true)
    }

    /// Each folder that is missing, for its owner alone.
    private static func makeFolder(_ path: String) throws {
        guard !path.isEmpty, access(path, F_OK) != 0 else { return }
        if let slash = path.lastIndex(of: "/") { try makeFolder(String(path[..<slash])) }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw Complaint("\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
    }

    private static var home: String {
        if let home = environment("HOME") { return home }
        guard let entry = getpwuid(getuid()), let home = entry.pointee.pw_dir else { return "" }
        return String(cString: home)
    }

    static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
