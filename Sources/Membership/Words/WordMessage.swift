/// What members tell each other about the words that they hold.
package struct WordMessage: Hashable, Sendable {
    /// What the sender holds of a kind between two ids, both among them.
    package struct Part: Hashable, Sendable {
        package var kind: Word.Kind
        package var range: ClosedRange<UInt64>
        package var held: Held

        package init(_ kind: Word.Kind, _ range: ClosedRange<UInt64>, _ held: Held) {
            self.kind = kind
            self.range = range
            self.held = held
        }
    }

    package enum Held: Hashable, Sendable {
        /// Who has another sum there answers with more of it.
        case sum(UInt64)
        /// Who holds more sends it. `asks`: and tells what it holds where it holds less.
        case ids([UInt64], asks: Bool)
    }

    package var parts: [Part]
    package var words: [Word]

    package init(parts: [Part] = [], words: [Word] = []) {
        self.parts = parts
        self.words = words
    }

    var isEmpty: Bool { parts.isEmpty && words.isEmpty }

    /// What one message may hold; ours hold less (`WordSettings`).
    static let partsLongest = 256
    static let idsLongest = 8_192
    static let wordsLongest = 4_096
}

/// How members compare their words.
package struct WordSettings: Sendable, Equatable {
    /// What two hold differently for so long is compared in full: until then it may be on its way as a fact.
    package var patience: Duration = .seconds(2)
    /// As long as comparing with a member brings nothing, it is done at ever longer intervals, up to this.
    package var patienceLongest: Duration = .seconds(30)
    /// Ids that are listed one by one; of more only sums are told, each of one part of so many.
    package var idsListed = 64
    package var fanOut = 16
    /// Parts of one message.
    package var partsMost = 64
    /// About how many octets of words one message brings.
    package var wordsOctets = 256 * 1024
    /// What one member may make us send: so much at once, and then so much in a second.
    package var allowanceOctets = 512 * 1024
    package var allowanceOctetsPerSecond = 128 * 1024
    /// Words that prove nothing in one message before the rest is left unread: each costs us up to half a millisecond.
    package var refusalsMost = 8

    package init() {}
}
