/// Somebody who may submit mail after a login.
package struct Account: Sendable, Equatable {
    package let name: PreparedName
    package let verifier: ScramVerifier
    /// What it may send as, in the words of `SenderScope` of `RoutingPolicy`, which judges them.
    package let senders: [String]

    package init(name: PreparedName, verifier: ScramVerifier, senders: [String]) {
        self.name = name
        self.verifier = verifier
        self.senders = senders
    }
}

/// A line of the account file that we do not understand. It never repeats the line, which holds secrets.
package struct AccountFileError: Error, Equatable, CustomStringConvertible {
    package let line: Int
    package let problem: String
    package var description: String { "line \(line): \(problem)" }
}

/// The accounts as text, one a line: name, verifier, senders; `#` begins a comment line.
///
/// ```
/// alice SCRAM-SHA-256$15000:c2FsdA==$storedKey:serverKey alice@example.com,@example.org
/// ```
/// The verifier is written as PostgreSQL writes it (and RFC 5803 nearly so). Fields are divided by spaces or
/// tabs.
package enum AccountFile {
    package static let sizeLimitOctets = 64 << 20

    package static func parse(_ text: [UInt8]) throws(AccountFileError) -> [Account] {
        var accounts: [Account] = []
        var seen: Set<PreparedName> = []
        for (index, line) in text.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            guard let account = try parse(line: line, number: index + 1) else { continue }
            guard seen.insert(account.name).inserted else {
                throw AccountFileError(line: index + 1, problem: "the account is there twice")
            }
            accounts.append(account)
        }
        return accounts
    }

    private static func parse(line: ArraySlice<UInt8>, number: Int) throws(AccountFileError) -> Account? {
        func wrong(_ problem: String) -> AccountFileError { AccountFileError(line: number, problem: problem) }
        guard let text = String(validating: line, as: UTF8.self) else { throw wrong("not UTF-8") }
        let fields = text.split { $0 == " " || $0 == "\t" || $0 == "\r" }
        guard let first = fields.first, !first.hasPrefix("#") else { return nil }
        guard fields.count == 3 else {
            throw wrong("expected a name, a verifier and senders, found \(fields.count) fields")
        }
        guard let name = PreparedName(first) else { throw wrong("the first field is no account name") }
        guard let verifier = ScramVerifier(text: fields[1]) else {
            throw wrong("the second field is no verifier")
        }
        let senders = fields[2].split(separator: ",").filter { $0 != "-" }.map(String.init)
        guard senders.allSatisfy(isSender) else {
            throw wrong("a sender is longer than an address may be, or unprintable")
        }
        return Account(name: name, verifier: verifier, senders: senders)
    }

    /// Whether the text can stand among an account's senders, with a comma before and behind it.
    package static func isSender(_ text: String) -> Bool {
        text.utf8.count <= 320 && !text.isEmpty
            && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x2C }
    }

    package static func text(of accounts: [Account]) -> [UInt8] {
        var text = Array("# Accounts of chappe: name, verifier, senders. Written by `chappe account`.\n".utf8)
        for account in accounts {
            let senders = account.senders.isEmpty ? "-" : account.senders.joined(separator: ",")
            text.append(contentsOf: "\(account.name.text) \(account.verifier.text) \(senders)\n".utf8)
        }
        return text
    }
}

extension ScramVerifier {
    private static let scheme = "SCRAM-SHA-256"

    init?(text: some StringProtocol) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == Self.scheme else { return nil }
        let cost = parts[1].split(separator: ":", omittingEmptySubsequences: false)
        let keys = parts[2].split(separator: ":", omittingEmptySubsequences: false)
        guard cost.count == 2, keys.count == 2, let iterations = Int(cost[0]),
            let salt = Base64.decode(cost[1].utf8, limit: 64),
            let storedKey = Base64.decode(keys[0].utf8, limit: 32),
            let serverKey = Base64.decode(keys[1].utf8, limit: 32)
        else { return nil }
        self.init(salt: salt, iterations: iterations, storedKey: storedKey, serverKey: serverKey)
    }

    var text: String {
        func base64(_ octets: [UInt8]) -> String { String(decoding: Base64.encode(octets), as: UTF8.self) }
        return "\(Self.scheme)$\(iterations):\(base64(salt))$\(base64(storedKey)):\(base64(serverKey))"
    }
}
