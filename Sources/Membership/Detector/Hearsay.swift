import MailValues

/// What others say of a member that the member itself did not say to us, until enough of them say it.
///
/// A member's number of starts and of refutations, and whether it leaves, are its own to say. One node that was taken over
/// could otherwise declare any other gone, or give it a number that the other can never reach again.
struct Hearsay: Sendable {
    private struct Word: Sendable {
        var teller: NodeID
        var claim: Claim
    }

    /// Of each member the greatest claim that nobody else has confirmed.
    private var words: [NodeID: Word] = [:]

    var count: Int { words.count }

    /// What this and the words of others come to: the lesser of two claims is what both tellers vouch for, since each
    /// claim outweighs all below it. Nil: this teller stands alone.
    mutating func agreed(_ claim: Claim, by teller: NodeID, above known: Claim, witnesses: Int) -> Claim? {
        guard witnesses > 1 else {
            words[claim.node] = nil
            return claim
        }
        guard let word = words[claim.node], word.claim.outweighs(known) else {
            words[claim.node] = Word(teller: teller, claim: claim)
            return nil
        }
        if word.teller == teller {
            if claim.outweighs(word.claim) { words[claim.node] = Word(teller: teller, claim: claim) }
            return nil
        }
        guard claim.outweighs(word.claim) else { return claim }
        words[claim.node] = Word(teller: teller, claim: claim)
        return word.claim
    }

    mutating func forget(_ node: NodeID) { words[node] = nil }
}
