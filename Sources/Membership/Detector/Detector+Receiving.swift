import MailValues

extension Detector {
    mutating func receive(
        _ message: ProbeMessage, from sender: Sender, age: Duration, _ now: Uptime,
        _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
    ) {
        guard let place = places[sender.node] else { return }
        switch message {
        case .askLastSeen:
            actions.append(.send(.lastSeen(lastSeen(place, now)), to: sender.node))
            hearAsker(sender, place, now, &actions)
            return  // it has no incarnation yet that would count
        case .probe, .ack, .ask, .relayedAck, .nack, .rumours, .sync, .lastSeen, .cloned: break
        }
        guard heed(sender, place, age, now, &random, &actions) else { return }
        switch message {
        case .probe(let number, let theirView, let claims):
            take(claims, from: sender, now, &random, &actions)
            compare(theirView, with: sender.node, now, &actions)
            let riding = ridingClaims(to: sender.node)
            actions.append(.send(.ack(number: number, view: view, claims: riding), to: sender.node))
        case .ack(let number, let theirView, let claims):
            answered(number, by: sender.node, now, &actions)
            take(claims, from: sender, now, &random, &actions)
            compare(theirView, with: sender.node, now, &actions)
        case .ask(let number, let target, let claims):
            take(claims, from: sender, now, &random, &actions)
            help(sender.node, number, target, now, &actions)
        case .relayedAck(let number, let target, let claims):
            reachedByHelper(number, target, now)
            take(claims, from: sender, now, &random, &actions)
        case .nack(let number, let target, let claims):
            for index in waiting.indices where waiting[index].number == number {
                guard waiting[index].target == target, case .indirect(let missing) = waiting[index].stage
                else { continue }
                waiting[index].stage = .indirect(nacksMissing: max(missing - 1, 0))
            }
            take(claims, from: sender, now, &random, &actions)
        case .rumours(let claims):
            take(claims, from: sender, now, &random, &actions)
        case .sync(let claims):
            answerSync(claims, from: sender, now, &random, &actions)
        case .lastSeen(let seen):
            hearLastSeen(seen, from: sender.node, now, &actions)
        case .cloned(let clone):
            guard clone == nonce else {
                cloneWords.insert(sender.node)
                if cloneWords.count >= max(1, min(2, witnessCount(without: nil))) {
                    actions.append(.cloneSeen)
                }
                break
            }
            // One node that was taken over must not be able to stop the others.
            clonedWords.insert(sender.node)
            if clonedWords.count >= min(2, members.count) { actions.append(.stopCloned) }
        case .askLastSeen: break
        }
    }

    // MARK: Who speaks

    /// Whether the frame is of the member's newest start; if so, the member was heard.
    private mutating func heed(
        _ sender: Sender, _ place: Int, _ age: Duration, _ now: Uptime,
        _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
    ) -> Bool {
        guard sender.incarnation <= Claim.incarnationHighest, sender.nonce != 0, !sender.state.isJudgement
        else {
            return false
        }
        let known = members[place]
        let isOther = known.nonce != 0 && known.nonce != sender.nonce
        if sender.incarnation < known.claim.incarnation
            || sender.incarnation == known.claim.incarnation && isOther
        {
            hearElder(sender, place, now, &actions)
            return false
        }
        // Who asked has begun: the next start that asks is no copy for that.
        if known.nonce != sender.nonce { members[place].askers = [] }
        members[place].nonce = sender.nonce
        members[place].heard = max(known.heard ?? Uptime.start, now - age)
        members[place].unansweredSince = nil
        members[place].refusedSince = nil
        if sender.incarnation > known.claim.incarnation { members[place].elderSince = nil }
        if sender.claim.outweighs(known.claim) {
            var claim = sender.claim
            // How long it may be away stands in its rumour; until that comes, what we know stands.
            if claim.state == .parked { claim.remaining = known.claim.remaining }
            apply(claim, now, &random, &actions)
            members[place].nonce = sender.nonce
        } else if known.claim.state.isJudgement || known.claim.state == .left {
            tell(place, now, &actions)
        }
        return true
    }

    /// † A frame from a dead member is answered with its state, so that it can refute.
    private mutating func tell(_ place: Int, _ now: Uptime, _ actions: inout [Action]) {
        guard !settings.omitted.contains(.deadAreTold) else { return }
        if let toldAt = members[place].toldAt, now - toldAt < settings.probeInterval { return }
        members[place].toldAt = now
        actions.append(.send(.rumours([told(members[place])]), to: members[place].claim.node))
    }

    /// A frame of an earlier start, or of another process with the same number.
    private mutating func hearElder(
        _ sender: Sender, _ place: Int, _ now: Uptime, _ actions: inout [Action]
    ) {
        let known = members[place]
        actions.append(.send(.lastSeen(lastSeen(place, now)), to: sender.node))
        guard known.nonce != 0, let heard = known.heard, now - heard < cloneWindow else {
            members[place].elderSince = nil
            return
        }
        // What a process sent before it ended may come late; after this wait it is alive.
        let since = known.elderSince ?? now
        members[place].elderSince = since
        guard now - since >= settings.cloneWait else { return }
        let isSameStart = sender.incarnation == known.claim.incarnation
        let later = isSameStart ? max(sender.nonce, known.nonce) : known.nonce
        actions.append(.send(.cloned(nonce: later), to: sender.node))
    }

    /// Who starts asks. One that asks while the member goes on speaking is a copy of it, and may not hear us: our answers go where
    /// the member is. So the member is told.
    private mutating func hearAsker(
        _ sender: Sender, _ place: Int, _ now: Uptime, _ actions: inout [Action]
    ) {
        let known = members[place]
        guard known.nonce != 0, sender.nonce != known.nonce, let heard = known.heard,
            now - heard < cloneWindow
        else {
            members[place].askers.removeAll { $0.nonce == sender.nonce }
            return
        }
        // † Each for itself: where a copy had asked, a restart of the member within the window was taken for the copy, and ended.
        guard let since = known.askers.first(where: { $0.nonce == sender.nonce })?.since else {
            members[place].askers = known.askers.suffix(Self.copiesKept - 1) + [(sender.nonce, now)]
            return
        }
        // What a process said before it ended may come late.
        guard heard - since >= settings.cloneWait else { return }
        if !known.copies.contains(sender.nonce) {
            members[place].copies = known.copies.suffix(Self.copiesKept - 1) + [sender.nonce]
        }
        actions.append(.send(.cloned(nonce: sender.nonce), to: sender.node))
    }

    /// Copies of one member that are remembered, the newest.
    private static let copiesKept = 8

    /// Whether a start of a member asked while the member went on speaking, and so is a copy of it.
    func isCopy(_ sender: Sender) -> Bool {
        places[sender.node].map { members[$0].copies.contains(sender.nonce) } ?? false
    }

    private func lastSeen(_ place: Int, _ now: Uptime) -> LastSeen {
        let member = members[place]
        return LastSeen(
            incarnation: member.claim.incarnation, nonce: member.nonce, refutation: member.claim.refutation,
            state: member.claim.state, heardAgo: member.nonce == 0 ? nil : member.heard.map { now - $0 })
    }

    /// A later start than ours was seen. If it is silent, our store is old; if it is alive, it is a clone and goes.
    ///
    /// † One member alone, taken over, must not make us hold our mail: two say so, where there are two.
    private mutating func hearLastSeen(
        _ seen: LastSeen, from teller: NodeID, _ now: Uptime, _ actions: inout [Action]
    ) {
        let isOther = seen.incarnation == incarnation && seen.nonce != 0 && seen.nonce != nonce
        guard Self.isPlausible(seen.incarnation, after: incarnation),
            seen.incarnation > incarnation || isOther
        else {
            laterWords[teller] = nil
            return
        }
        let isAlive = seen.heardAgo.map { $0 < cloneWindow } ?? false
        laterWords[teller] = (seen.incarnation, isAlive)
        let wanted = max(1, min(2, witnessCount(without: nil)))
        guard laterWords.count >= wanted else { return }
        if laterWords.values.count(where: \.isAlive) >= wanted {
            actions.append(.cloneSeen)
            return
        }
        guard laterWords.values.count(where: { !$0.isAlive }) >= wanted else { return }
        // The highest that as many vouch for.
        let seen = laterWords.values.map(\.incarnation).sorted(by: >)[wanted - 1]
        actions.append(.persist(incarnation: seen + 1))
        actions.append(.storeIsOld(seen: seen))
        restart(as: seen + 1)
        rumours.add(ownClaim)
    }

    /// The larger the cluster, the rarer one member hears one other.
    private var cloneWindow: Duration {
        max(settings.cloneWindow, settings.probeInterval * (2 * members.count))
    }

    // MARK: What is said

    private mutating func take(
        _ claims: [Claim], from sender: Sender, _ now: Uptime, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        for claim in claims.prefix(ProbeMessage.syncLimit) {
            var claim = claim
            if claim.state == .suspect, claim.accuser == nil { claim.accuser = sender.node }
            if claim.state == .dead { claim.accuser = sender.node }
            hear(claim, from: sender.node, now: now, &random, &actions)
        }
    }

    private mutating func answered(
        _ number: UInt32, by peer: NodeID, _ now: Uptime, _ actions: inout [Action]
    ) {
        guard let index = waiting.firstIndex(where: { $0.number == number && $0.target == peer }) else {
            return
        }
        let probe = waiting.remove(at: index)
        switch probe.stage {
        case .direct: worsenHealth(by: -1)
        case .helping(let asker, let theirs):
            let claims = ridingClaims(to: asker)
            actions.append(.send(.relayedAck(number: theirs, target: peer, claims: claims), to: asker))
        case .indirect, .refused: break
        }
    }

    private mutating func help(
        _ asker: NodeID, _ number: UInt32, _ target: NodeID, _ now: Uptime, _ actions: inout [Action]
    ) {
        guard let place = places[target], target != asker, waiting.count < Self.waitingLimit else { return }
        if members[place].refusedSince != nil {
            let claims = ridingClaims(to: asker)
            actions.append(.send(.nack(number: number, target: target, claims: claims), to: asker))
            return
        }
        let own = sendProbe(target, &actions)
        waiting.append(
            Waiting(
                number: own, target: target, sent: now, stage: .helping(asker: asker, number: number),
                deadline: now + settings.helperWait))
    }

    /// Probes that one node keeps in mind; others' requests beyond it are left to other helpers.
    static let waitingLimit = 256

    private mutating func reachedByHelper(_ number: UInt32, _ target: NodeID, _ now: Uptime) {
        guard let index = waiting.firstIndex(where: { $0.number == number && $0.target == target }),
            let place = places[target]
        else { return }
        let probe = waiting.remove(at: index)
        members[place].unansweredSince = nil
        switch probe.stage {
        case .refused:
            // The fault is between us two.
            members[place].refusedSince = nil
            members[place].refusalQuietUntil = now + settings.refusalQuiet
        case .indirect, .direct, .helping: break
        }
    }

    // MARK: Views

    /// Where views differ and no rumour is under way, everything is compared, but not often.
    private mutating func compare(
        _ theirs: UInt64, with peer: NodeID, _ now: Uptime, _ actions: inout [Action]
    ) {
        guard theirs != view, rumours.isEmpty, now >= nextSync, !settings.omitted.contains(.viewsAreCompared)
        else { return }
        nextSync = now + settings.syncInterval + settings.syncIntervalPerMember * members.count
        actions.append(.send(.sync(everything), to: peer))
    }

    private var everything: [Claim] {
        [ownClaim] + members.filter { $0.claim.incarnation > 0 }.map(told).prefix(ProbeMessage.syncLimit - 1)
    }

    private mutating func answerSync(
        _ claims: [Claim], from sender: Sender, _ now: Uptime, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        let theirs = Dictionary(
            claims.prefix(ProbeMessage.syncLimit).map { ($0.node, $0) },
            uniquingKeysWith: { first, _ in first })
        take(claims, from: sender, now, &random, &actions)
        let newer = everything.filter { mine in theirs[mine.node].map(mine.outweighs) ?? true }
        if !newer.isEmpty { actions.append(.send(.rumours(newer), to: sender.node)) }
    }
}
