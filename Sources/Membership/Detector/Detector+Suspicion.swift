import MailValues

extension Detector {
    // MARK: Suspicion

    /// A probe of ours failed, and nobody else had an answer.
    mutating func accuse(
        _ place: Int, _ now: Uptime, _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
    ) {
        doubt(place, accuser: node, now, &random, &actions)
    }

    /// The longer the fewer agree; between the two bounds it falls about as the logarithm that Lifeguard §4.2 has.
    func suspicionTimeout(_ suspicion: Suspicion) -> Duration {
        let others = members.count { $0.claim.state == .alive || $0.claim.state == .draining }
        let wanted = min(settings.confirmationCount, others)
        let confirmed = min(suspicion.accusers.count - 1, wanted)
        guard wanted > 0 else { return settings.suspicionShortest }
        let spread = settings.suspicionLongest - settings.suspicionShortest
        return settings.suspicionShortest + spread * (wanted - confirmed) / (wanted + confirmed)
    }

    private mutating func shorten(_ place: Int) {
        guard let suspicion = members[place].suspicion else { return }
        let timeout = suspicionTimeout(suspicion)
        members[place].suspicion?.timeout = timeout
    }

    func suspicionDeadline(_ member: Member) -> Uptime {
        guard let suspicion = member.suspicion else { return nextProbe }
        let lead = suspicion.wasAsked ? Duration.zero : settings.lastProbeLead
        return suspicion.began + suspicion.timeout - lead
    }

    mutating func runSuspicions(
        _ now: Uptime, _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
    ) {
        for suspect in suspects {
            guard let place = places[suspect], let suspicion = members[place].suspicion,
                suspicionDeadline(members[place]) <= now
            else { continue }
            if !suspicion.wasAsked {
                members[place].suspicion?.wasAsked = true
                sendProbe(suspect, &actions)
                continue
            }
            if let heard = members[place].heard, now - heard < settings.silenceShortest {
                // It spoke, and has not heard yet what is said of it. Once more, from then.
                members[place].suspicion?.began = heard + settings.silenceShortest - suspicion.timeout
                members[place].suspicion?.wasAsked = false
                continue
            }
            bury(place, now, &random, &actions)
        }
    }

    mutating func bury(
        _ place: Int, _ now: Uptime, _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
    ) {
        var claim = members[place].claim
        claim.state = .dead
        claim.accuser = nil
        claim.remaining = nil
        apply(claim, now, &random, &actions)
    }

    // MARK: Claims

    /// Takes in what a member said of another; what is new goes on to others.
    ///
    /// † What one member alone says of another makes us doubt and ask, and no more: it may have been taken over, or be deaf.
    /// Only that which the other said itself, or signed, or which two say, moves its numbers or ends it.
    mutating func hear(
        _ claim: Claim, from teller: NodeID, now: Uptime, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        if claim.node == node { return hearOfSelf(claim, now, &random, &actions) }
        guard let place = places[claim.node] else { return }
        let known = members[place].claim
        guard Self.isPlausible(claim.incarnation, after: known.incarnation) else { return }
        guard claim.outweighs(known), claim.node != teller else {
            return apply(claim, now, &random, &actions)
        }
        let isOfThisNumber = claim.incarnation == known.incarnation && claim.refutation == known.refutation
        if isOfThisNumber, claim.state == .suspect { return apply(claim, now, &random, &actions) }
        if isOfThisNumber, claim.state == .dead, hasOwnEvidence(place) {
            return apply(claim, now, &random, &actions)
        }
        // Who was heard lately can speak for itself.
        let witnesses = isHeardLately(place, now) ? 2 : min(2, witnessCount(without: place))
        if let agreed = hearsay.agreed(claim, by: teller, above: known, witnesses: witnesses),
            !isBuriedAlive(agreed, now)
        {
            return apply(agreed, now, &random, &actions)
        }
        guard claim.state.isJudgement, claim.incarnation == known.incarnation else { return }
        doubt(place, accuser: claim.accuser ?? teller, now, &random, &actions)
    }

    /// Starts are counted one by one, and nobody misses a million of them: such a number was made up, and who took it for its
    /// own could never count on.
    static func isPlausible(_ incarnation: UInt64, after known: UInt64) -> Bool {
        incarnation <= Claim.incarnationHighest && (incarnation <= known || incarnation - known <= 1 << 20)
    }

    /// Whether we have tried in vain ourselves.
    private func hasOwnEvidence(_ place: Int) -> Bool {
        members[place].refusedSince != nil || members[place].unansweredSince != nil
    }

    /// Who is said to be dead and was heard lately is not: a deaf node would bury the whole cluster.
    private func isBuriedAlive(_ claim: Claim, _ now: Uptime) -> Bool {
        guard claim.state == .dead, let place = places[claim.node] else { return false }
        return members[place].refusedSince == nil && claim.incarnation == members[place].claim.incarnation
            && isHeardLately(place, now)
    }

    private func isHeardLately(_ place: Int, _ now: Uptime) -> Bool {
        members[place].heard.map { now - $0 < settings.heardLately } ?? false
    }

    /// Those who could bear witness about a member.
    func witnessCount(without place: Int?) -> Int {
        members.indices.count { $0 != place && members[$0].claim.state.isPresent }
    }

    private mutating func doubt(
        _ place: Int, accuser: NodeID, _ now: Uptime, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        var claim = members[place].claim
        guard claim.state.isPresent || claim.state == .parked else { return }
        claim.state = .suspect
        claim.accuser = accuser
        claim.remaining = nil
        apply(claim, now, &random, &actions)
    }

    /// What a member has signed is as good as its own frame, but for when.
    mutating func prove(
        _ member: NodeID, _ incarnation: UInt64, _ now: Uptime, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        guard let place = places[member], members[place].claim.incarnation < incarnation,
            incarnation <= Claim.incarnationHighest
        else { return }
        apply(Claim(node: member, incarnation: incarnation, state: .alive), now, &random, &actions)
    }

    mutating func apply(
        _ claim: Claim, _ now: Uptime, _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
    ) {
        guard let place = places[claim.node] else { return }
        let old = members[place].claim
        guard claim.outweighs(old) else {
            if claim.state == .suspect, old.state == .suspect, claim.incarnation == old.incarnation,
                claim.refutation == old.refutation
            {
                addAccuser(claim, place, now, &random, &actions)
            }
            return
        }
        replace(place, by: claim, now)
        if claim.state == .suspect {
            members[place].suspicion = Suspicion(
                began: now, accusers: [claim.accuser ?? node], timeout: .zero)
            shorten(place)
            suspects.append(claim.node)
            confirmIfSilent(place, now, &random, &actions)
        }
        // That one has joined, each sees for itself: a thousand rumours at the first start would drown all others.
        if old.state == .joining, claim.state == .alive, claim.refutation == 0 {
            return actions.append(.changed(claim.node, from: .joining, to: .alive))
        }
        rumours.add(told(members[place]))
        if old.state != claim.state {
            actions.append(.changed(claim.node, from: old.state, to: claim.state))
            push(&random, &actions, about: claim.node)
        } else if claim.state == .alive || claim.state == .draining {
            push(&random, &actions, about: claim.node)
        }
    }

    private mutating func replace(_ place: Int, by claim: Claim, _ now: Uptime) {
        let old = members[place].claim
        view ^= Self.digest(old)
        members[place].claim = claim
        view ^= Self.digest(claim)
        let wasGone = old.state == .dead || old.state == .left
        let isGone = claim.state == .dead || claim.state == .left
        if wasGone != isGone {
            deadCount += isGone ? 1 : -1
            nextDeadProbe = isGone && deadCount == 1 ? now + settings.deadProbeInterval : nextDeadProbe
        }
        if old.state == .suspect { suspects.removeAll { $0 == claim.node } }
        members[place].suspicion = nil
        members[place].parkedUntil = claim.state == .parked ? now + (claim.remaining ?? .zero) : nil
        if claim.incarnation > old.incarnation { members[place].nonce = 0 }
        if !claim.state.isJudgement { members[place].refusedSince = nil }
    }

    /// One more has no answer: the suspicion is shorter.
    private mutating func addAccuser(
        _ claim: Claim, _ place: Int, _ now: Uptime, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        guard let accuser = claim.accuser, let suspicion = members[place].suspicion,
            suspicion.accusers.count <= settings.confirmationCount, !suspicion.accusers.contains(accuser)
        else { return }
        members[place].suspicion?.accusers.append(accuser)
        shorten(place)
        rumours.add(claim)
        push(&random, &actions, about: claim.node)
    }

    /// Who has tried in vain itself says so.
    private mutating func confirmIfSilent(
        _ place: Int, _ now: Uptime, _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
    ) {
        guard members[place].unansweredSince != nil,
            members[place].suspicion?.accusers.contains(node) == false
        else { return }
        var claim = members[place].claim
        claim.accuser = node
        addAccuser(claim, place, now, &random, &actions)
    }

    /// Tells a few at once; the rest hear it from them, and from what rides along.
    private mutating func push(
        _ random: inout some RandomNumberGenerator, _ actions: inout [Action], about member: NodeID
    ) {
        let listeners = pick(settings.pushCount, without: member, &random)
        for listener in listeners {
            let claims = ridingClaims(to: listener)
            if !claims.isEmpty { actions.append(.send(.rumours(claims), to: listener)) }
        }
    }

    // MARK: About ourselves

    /// Contradicts what is wrong. What is said of a later start of ours is asked about first: it may be a clone.
    private mutating func hearOfSelf(
        _ claim: Claim, _ now: Uptime, _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
    ) {
        // Nobody knows a higher number than we have said: who says one lies, and would drive ours to its end.
        guard claim.incarnation == incarnation, claim.refutation == refutation,
            refutation < Claim.refutationHighest, claim.outweighs(ownClaim)
        else { return }
        changeOwnClaim { $0.refutation = claim.refutation + 1 }
        worsenHealth(by: 1)
        rumours.add(ownClaim)
        push(&random, &actions, about: node)
    }
}
