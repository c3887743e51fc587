import MailValues

extension Detector {
    // MARK: Time

    func nextDeadline() -> Uptime {
        var next = nextProbe
        if deadCount > 0 { next = min(next, nextDeadProbe) }
        for probe in waiting { next = min(next, probe.deadline) }
        for suspect in suspects {
            guard let place = places[suspect] else { continue }
            next = min(next, suspicionDeadline(members[place]))
        }
        return next
    }

    mutating func runTimers(
        _ now: Uptime, _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
    ) {
        if waiting.contains(where: { $0.deadline <= now }) { expireProbes(now, &random, &actions) }
        if now >= nextProbe {
            nextProbe = now + own(settings.probeInterval)
            probeNext(now, &random, &actions)
        }
        if deadCount > 0, now >= nextDeadProbe {
            nextDeadProbe = now + settings.deadProbeInterval
            if !settings.omitted.contains(.deadAreProbed) { probeDead(now, &actions) }
        }
        if !suspects.isEmpty { runSuspicions(now, &random, &actions) }
    }

    // MARK: Probes of ours

    private mutating func probeNext(
        _ now: Uptime, _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
    ) {
        for _ in members.indices {  // at most once round
            if roundCursor >= round.count {
                round.shuffle(using: &random)
                roundCursor = 0
            }
            let place = round[roundCursor]
            roundCursor += 1
            guard isProbed(members[place], now) else { continue }
            let number = sendProbe(members[place].claim.node, &actions)
            waiting.append(
                Waiting(
                    number: number, target: members[place].claim.node, sent: now, stage: .direct,
                    deadline: now + own(settings.directWait)))
            return
        }
    }

    private func isProbed(_ member: Member, _ now: Uptime) -> Bool {
        switch member.claim.state {
        case .alive, .draining, .suspect, .joining: true
        case .parked: now >= member.parkedUntil ?? now
        case .dead, .left: false
        }
    }

    /// Admitted members are never forgotten: each second one that is dead is asked whether it still is.
    private mutating func probeDead(_ now: Uptime, _ actions: inout [Action]) {
        for _ in members.indices {
            deadCursor = (deadCursor + 1) % members.count
            let claim = members[deadCursor].claim
            guard claim.state == .dead || claim.state == .left else { continue }
            _ = sendProbe(claim.node, &actions)
            return
        }
    }

    @discardableResult
    mutating func sendProbe(_ target: NodeID, _ actions: inout [Action]) -> UInt32 {
        lastNumber &+= 1
        actions.append(
            .send(.probe(number: lastNumber, view: view, claims: ridingClaims(to: target)), to: target))
        return lastNumber
    }

    /// What rides along: first of all whatever `target` should contradict.
    mutating func ridingClaims(to target: NodeID) -> [Claim] {
        var claims: [Claim] = []
        if let place = places[target], members[place].claim.state.isJudgement {
            let isDead = members[place].claim.state == .dead
            if !isDead || !settings.omitted.contains(.deadAreTold) { claims.append(told(members[place])) }
        }
        claims += rumours.take(ProbeMessage.claimLimit - claims.count, times: tellings)
        return claims
    }

    /// How often one rumour is told by one node: enough for all to hear it with near certainty.
    private var tellings: Int { 4 * (Int.bitWidth - (members.count + 1).leadingZeroBitCount) }

    /// A claim as it is sent now: with an accuser, or with the time that is left.
    func told(_ member: Member) -> Claim {
        var claim = member.claim
        claim.accuser = claim.state == .suspect ? member.suspicion?.accusers.first : nil
        claim.remaining = member.parkedUntil.map { max($0 - clock, .zero) }
        return claim
    }

    // MARK: Without an answer

    private mutating func expireProbes(
        _ now: Uptime, _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
    ) {
        let expired = waiting.filter { $0.deadline <= now }
        waiting.removeAll { $0.deadline <= now }
        for probe in expired {
            guard let place = places[probe.target] else { continue }
            // Anything that came since then is as good as an answer.
            if let heard = members[place].heard, heard >= probe.sent { continue }
            switch probe.stage {
            case .direct:
                askHelpers(probe, now, &random, &actions)
            case .indirect(let nacksMissing):
                worsenHealth(by: nacksMissing)
                members[place].unansweredSince = members[place].unansweredSince ?? probe.sent
                accuse(place, now, &random, &actions)
            case .refused:
                guard members[place].refusedSince != nil else { continue }
                bury(place, now, &random, &actions)
            case .helping(let asker, let number):
                members[place].unansweredSince = members[place].unansweredSince ?? probe.sent
                let claims = ridingClaims(to: asker)
                actions.append(
                    .send(.nack(number: number, target: probe.target, claims: claims), to: asker))
            }
        }
    }

    /// Second stage: whether others reach it. Without others, the silence is ours to judge.
    private mutating func askHelpers(
        _ probe: Waiting, _ now: Uptime, _ random: inout some RandomNumberGenerator,
        _ actions: inout [Action]
    ) {
        var probe = probe
        let omitted = settings.omitted.contains(.helpersAreAsked)
        let helpers = omitted ? [] : pick(settings.helperCount, without: probe.target, &random)
        for helper in helpers {
            let claims = ridingClaims(to: helper)
            actions.append(
                .send(.ask(number: probe.number, target: probe.target, claims: claims), to: helper))
        }
        probe.stage = .indirect(nacksMissing: max(helpers.count, 1))
        probe.deadline = now + own(settings.indirectWait)
        waiting.append(probe)
    }

    /// Some members that are there, by chance.
    func pick(_ count: Int, without target: NodeID, _ random: inout some RandomNumberGenerator) -> [NodeID] {
        guard !members.isEmpty else { return [] }
        var picked: [NodeID] = []
        // Enough tries that few are missed where most are there; bounded where none are.
        for _ in 0..<count * 8 where picked.count < count {
            let claim = members[Int.random(in: 0..<members.count, using: &random)].claim
            guard claim.node != target, claim.state == .alive || claim.state == .draining,
                !picked.contains(claim.node)
            else { continue }
            picked.append(claim.node)
        }
        return picked
    }

    // MARK: Links

    mutating func linkUp(_ peer: NodeID, _ now: Uptime, _ actions: inout [Action]) {
        guard let place = places[peer] else { return }
        members[place].refusedSince = nil
        waiting.removeAll { $0.target == peer && $0.stage == .refused }
        // Also to one that is alive: what we said before this link was there, it has not heard.
        let isGone = members[place].claim.state == .dead || members[place].claim.state == .left
        if !isGone || !settings.omitted.contains(.deadAreProbed) { sendProbe(peer, &actions) }
    }

    /// The machine is there and the process is not. If no helper reaches it within a second, it is dead.
    mutating func linkRefused(
        _ peer: NodeID, _ now: Uptime, _ random: inout some RandomNumberGenerator, _ actions: inout [Action]
    ) {
        guard let place = places[peer], members[place].claim.state.isPresent,
            members[place].refusedSince == nil, now >= members[place].refusalQuietUntil
        else { return }
        members[place].refusedSince = now
        lastNumber &+= 1
        for helper in pick(settings.helperCount, without: peer, &random) {
            let claims = ridingClaims(to: helper)
            actions.append(.send(.ask(number: lastNumber, target: peer, claims: claims), to: helper))
        }
        waiting.append(
            Waiting(
                number: lastNumber, target: peer, sent: now, stage: .refused,
                deadline: now + settings.refusalWait))
    }
}
