import Convergence
import GossipTransport
import MailValues
import Membership
import QueueEngine

extension ClusterService {
    /// How often time is looked at: what is due to be said, what is over.
    private static let tick: Duration = .seconds(1)
    /// Others are told how this node fares so often, if it is news to them.
    private static let loadInterval: Duration = .seconds(5)
    /// And at least so often: what is said lives for two minutes.
    private static let loadRefresh: Duration = .seconds(40)
    /// Words that others may be about to say again after a start are not said for them before.
    private static let silenceAfterStart: Duration = .seconds(15)

    func hear(_ news: AsyncStream<ClusterNews>) async {
        for await one in news { await take(one) }
    }

    private func take(_ news: ClusterNews) async {
        switch news {
        case .started(_, let storeIsOld):
            become(storeIsOld ? .storeIsOld(seen: nil) : .speaking)
            sayAnew()
            if let departed = member?.departed.values { member?.driver.recall(Array(departed)) }
            // Members whom the store knows are there from the first moment on: no change tells of them, and their links
            // may have come up while this node was still asking.
            for node in member?.book.members ?? [] { await tellStanding(of: node) }
            if !storeIsOld { await keepDoorPromise() }
        case .storeIsOld(let seen):
            become(.storeIsOld(seen: seen))
            sayAnew()
        case .changed(let node, let from, let to): await changed(node, from, to)
        case .cloneSeen:
            member?.isCloneSeen = true
            record("clone-seen")
        case .facts(let changes): await learn(changes)
        case .words(let words, let bearer): await learn(words, from: bearer)
        case .moved(let node, let contact): await moved(node, to: contact)
        case .joinRequest(let request): await answer(request)
        case .doorClosed: member?.door = nil
        case .link(let node, let isUp):
            if isUp { member?.linked.up(node) } else { member?.linked.down(node, now: WallClock.now()) }
            await tellStanding(of: node)
        case .bulk(let node, let isFailing):
            if isFailing { member?.withoutBulk.insert(node) } else { member?.withoutBulk.remove(node) }
            await tellStanding(of: node)
        case .deaf(let endpoint):
            member?.deaf = endpoint
            record("deaf", fields: [("endpoint", endpoint)])
        case .refused(let node, let reason, let count):
            record("refused", node: node, fields: [("what", reason), ("count", "\(count)")])
        }
    }

    /// What was said in an earlier life is void: all of it is said again.
    private func sayAnew() {
        guard let driver = member?.driver, let me = member?.me else { return }
        member?.saidAt = ContinuousClock.now
        seams.speaks(ClusterSpeaker(driver: driver, node: me))
        introduce()
        sayLoad()
    }

    private func changed(_ node: NodeID, _ from: MemberState, _ to: MemberState) async {
        recordSparingly("member", of: node, fields: [("from", "\(from)"), ("to", "\(to)")])
        await tellStanding(of: node)
        guard to == .alive || to == .left,
            let claim = await member?.driver.claims.first(where: { $0.node == node })
        else { return }
        if claim.state == .left, member?.departed[node].map(claim.outweighs) ?? true {
            member?.departed[node] = claim
            // Who left in order has left, although all that heard it may be started anew: they would take its silence for
            // death, and wait for it. At once, but for one that leaves again and again.
            if member?.departedNow.insert(node).inserted == true {
                _ = await store.persist(departed: claim)
            } else {
                member?.heardAnew.insert(node)
            }
        }
        guard claim.incarnation > member?.seen[node] ?? 0 else { return }
        member?.seen[node] = claim.incarnation
        member?.heardAnew.insert(node)
    }

    /// Once a second: a member may begin anew as often as it likes, and each write waits for the disk. Lost, it is asked of
    /// others at the next start.
    private func storeHeard() async {
        let anew = member?.heardAnew ?? []
        member?.heardAnew = []
        member?.departedNow = []
        for node in anew {
            if let claim = member?.departed[node] { _ = await store.persist(departed: claim) }
            if let incarnation = member?.seen[node] {
                _ = await store.persist(seen: incarnation, of: node)
            }
        }
    }

    /// A copy of another machine, or one that nobody finds any more: it delivers nothing, so it takes nothing either.
    ///
    /// Every start is deaf for a moment, until the first answer has come.
    private func listenWhetherDeaf() async {
        guard let member, member.condition == .starting else {
            secondsDeaf = 0
            return
        }
        let isDeaf = await member.driver.isDeaf
        guard self.member?.condition == .starting else { return }
        let wasBarred = secondsDeaf >= Self.secondsOfDeafness
        secondsDeaf = isDeaf ? secondsDeaf + 1 : 0
        let isBarred = secondsDeaf >= Self.secondsOfDeafness
        if isBarred != wasBarred { seams.mayTake(isBarred ? Self.deafness : nil) }
    }

    private static let secondsOfDeafness = 5
    static let deafness = "this node reaches other members and hears none of them"

    /// Strangers have no name by which to tell of them one by one.
    private func tellOfStrangers() {
        guard let member, ContinuousClock.now - member.strangersTold.at >= .seconds(60) else { return }
        let statistics = member.driver.transport.statistics
        let count = statistics.strangers + statistics.doorRefusals + statistics.doorStrangers
        guard count > member.strangersTold.count else { return }
        record("strangers", fields: [("refused", "\(count - member.strangersTold.count)")])
        self.member?.strangersTold = (count, ContinuousClock.now)
    }

    func tellStanding(of node: NodeID) async {
        guard let driver = member?.driver, node != member?.me else { return }
        let state = await driver.state(of: node)
        guard let member else { return }
        // That it is evicted is the operator's word, which stands in the book: the driver may not know it yet.
        let standing =
            member.book.isMember(node)
            ? Self.standing(state, isReached: member.reaches(node)) : .evicted
        guard member.told[node] != standing else { return }
        self.member?.told[node] = standing
        seams.standing(node, standing)
        beginLeaving()
        // A change of keys may have waited for it alone.
        if standing == .left { await giveUpOldKey() }
    }

    private static func standing(_ state: MemberState?, isReached: Bool) -> Leaver.Standing {
        switch state {
        case .left: .left
        case .alive, .suspect: isReached ? .alive : .silent
        case .draining: isReached ? .drained : .silent
        case .joining, .parked, .dead, nil: .silent
        }
    }

    /// Everything has another owner: others hear that this node goes, and then it is a member no more.
    func left() async {
        guard let member, member.condition != .left else { return }
        become(.left)
        hasLeft = true
        member.driver.declare(.left)
        _ = await store.leave()
        // Every member is told by some frame within a few rounds of gossip.
        try? await Task.sleep(for: Self.farewell)
        member.driver.stop()
    }

    private static let farewell: Duration = .seconds(2)

    /// Others see in `members` that this one takes no mail.
    func declare(draining isOn: Bool) {
        member?.driver.declare(isOn ? .draining : .alive)
        sayLoad()
    }

    // MARK: Time

    func keepTime() async {
        var turn = 0
        var watch = ClockWatch()
        let clock = SharedKnowledge.systemClock()
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.tick)
            guard let member, !Task.isCancelled else { return }
            seams.dueFacts(ClusterSpeaker(driver: member.driver, node: member.me))
            if watch.wentBack(clock()) { obeyAgain() }
            applyRevocations()
            await listenWhetherDeaf()
            await storeHeard()
            await takeIntroductions()
            tellOfStrangers()
            turn += 1
            if turn.isMultiple(of: 60) { self.member?.lines = [:] }
            if turn.isMultiple(of: Int(Self.loadInterval.components.seconds)) {
                sayLoadIfDue()
                await sayForOthers()
            }
        }
    }

    func sayLoad() {
        if let load = ownLoad() { say(load) }
    }

    /// Each word of each member goes to all: a node to which nothing happens says little.
    private func sayLoadIfDue() {
        guard let load = ownLoad() else { return }
        if let (said, at) = member?.loadSaid, !load.isNews(after: said),
            ContinuousClock.now - at < Self.loadRefresh
        {
            return
        }
        say(load)
    }

    private func ownLoad() -> MemberLoad? {
        guard let member else { return nil }
        var load = seams.load()
        load.admittedSet = member.book.number
        if case .storeIsOld = member.condition { load.isQuarantined = true }
        return load
    }

    private func say(_ load: MemberLoad) {
        member?.loadSaid = (load, ContinuousClock.now)
        member?.driver.say(load, about: MemberLoad.Myself())
    }

    /// Orders and admissions that nobody says any more, because who said them restarted or left: the lowest of
    /// the living says them, so that who comes later hears them.
    private func sayForOthers() async {
        guard let member, let saidAt = member.saidAt, ContinuousClock.now - saidAt > Self.silenceAfterStart
        else { return }
        for node in member.book.members where node < member.me {
            if await member.driver.state(of: node)?.isPresent == true { return }
        }
        let now = WallClock.now()
        for order in member.orders.unspoken(now: now) { say(order, now: now) }
        let spoken = Set(await member.driver.all(AdmissionFact.self).map(\.value.admission))
        for admission in member.book.all where !spoken.contains(admission) {
            member.driver.say(AdmissionFact(admission), about: admission.node)
        }
    }

    func say(_ order: Order, now: Timestamp) {
        member?.driver.say(
            OrderFact(order), about: order.subject, lifetime: order.expires.map { $0 - now })
    }
}
