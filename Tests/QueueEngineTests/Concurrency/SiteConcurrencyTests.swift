import MailValues
import QueueEngine
import Testing

private let start = Timestamp(seconds: 1_800_000_000)

@Suite("Connections to a site")
struct SiteConcurrencyTests {
    private let limits = ConcurrencyLimits()
    private var random = Generator(state: 1)

    @Test("an unknown site gets one connection, a living one a few, and one more with each success")
    func grows() {
        var site = SiteConcurrency(ceiling: 4, limits: limits)
        #expect(site.permission(now: start) == .open(.unknown))
        site.openingBegan()
        #expect(site.permission(now: start) == .enough)
        site.opened()
        #expect(site.permission(now: start) == .open(.living))
        site.openingBegan()
        #expect(site.permission(now: start) == .enough)
        site.opened()
        for expected in [3, 4, 4] {
            site.answered(now: start)
            while case .open = site.permission(now: start) {
                site.openingBegan()
                site.opened()
            }
            #expect(site.open == expected)
        }
    }

    @Test(
        "a dead site rests, a route shorter, longer with each failure; and is looked at with one connection",
        arguments: [
            (false, [60, 120, 240, 480, 900, 900, 900, 900]), (true, [1, 2, 4, 8, 16, 32, 64, 128]),
        ])
    mutating func rests(isRoute: Bool, seconds: [Int]) {
        var site = SiteConcurrency(ceiling: 20, isRoute: isRoute, limits: limits)
        var now = start
        var rests: [Duration] = []
        for failure in 0..<8 {
            #expect(site.permission(now: now) == .open(failure == 0 ? .unknown : .probe))
            site.openingBegan()
            #expect(site.permission(now: now) == .enough)
            let isDead = site.openingFailed(now: now, limits: limits, using: &random)
            #expect(isDead)
            guard case .resting(let until) = site.permission(now: now) else {
                Issue.record("a dead site rests")
                return
            }
            rests.append(until - now)
            now = until
        }
        for (rest, expected) in zip(rests, seconds) {
            #expect((.milliseconds(expected * 799)...Duration.milliseconds(expected * 1_201)).contains(rest))
        }
        site.openingBegan()
        site.opened()
        #expect(site.health == .living)
    }

    @Test("a refused connection beside others that stand lowers the number and kills nothing")
    mutating func lowers() {
        var site = SiteConcurrency(ceiling: 20, limits: limits)
        site.openingBegan()
        site.opened()
        site.openingBegan()
        let isDead = site.openingFailed(now: start, limits: limits, using: &random)
        #expect(!isDead)
        #expect(site.health == .living)
        site.answered(now: start + .seconds(30))
        #expect(site.permission(now: start + .seconds(30)) == .enough)
        site.answered(now: start + .seconds(61))
        #expect(site.permission(now: start + .seconds(61)) == .open(.living))
    }

    @Test("the slow move aside, until that share is full too")
    func patience() {
        var share = PatienceShare(quickLimit: 2, slowLimit: 1)
        var places = [share.enter(), share.enter()]
        #expect(places == [.quick, .quick] && !share.hasRoomForNewest)
        let first = share.becameSlow(.quick)
        #expect(first && share.hasRoom && share.isCrowded)
        places = [share.enter()]
        let second = share.becameSlow(.quick)
        #expect(places == [.quick] && !second && !share.hasRoom)
        share.leave(.slow)
        let third = share.becameSlow(.quick)
        #expect(third && share.hasRoom)
    }

    @Test("who comes last finds a kept place where all others are taken, and the ordinary ones first")
    func kept() {
        var share = PatienceShare(quickLimit: 1, slowLimit: 1, keptLimit: 1)
        let places = [share.enter(), share.enter()]
        #expect(places == [.quick, .kept] && !share.hasRoomForNewest)
        let moved = share.becameSlow(.kept)
        #expect(moved && !share.hasRoom && share.hasRoomForNewest && share.isCrowded)
        let again = share.enter()
        let stays = !share.becameSlow(again)
        #expect(again == .kept && stays && !share.hasRoomForNewest)
        share.leave(.kept)
        #expect(share.hasRoomForNewest && !share.hasRoom)
        share.leave(.quick)
        let last = share.enter()
        #expect(last == .quick)
    }
}

@Suite("Sites and providers")
struct SiteKeyTests {
    @Test("the same hosts in the same ranks are one site; another rank, or another manner, is another")
    func keys() {
        let site = SiteKey(ranks: [["b.example", "a.example"], ["c.example"]], manner: "mx:may")
        #expect(site == SiteKey(ranks: [["a.example", "b.example"], ["c.example"]], manner: "mx:may"))
        #expect(site != SiteKey(ranks: [["a.example"], ["b.example", "c.example"]], manner: "mx:may"))
        #expect(site != SiteKey(ranks: [["a.example", "b.example"], ["c.example"]], manner: "mx:verify"))
    }

    @Test(
        "a provider is known by the longest suffix of a host, at a label's edge",
        arguments: [
            ("acme-com.mail.protection.outlook.com", "microsoft"),
            ("mail.protection.outlook.com", "microsoft"),
            ("notmail.protection.outlook.com", nil), ("aspmx.l.google.com", "google"),
            ("special.l.google.com", "google-special"), ("a.special.l.google.com", "google-special"),
            ("example.org", nil),
        ] as [(String, String?)]
    )
    func providers(host: String, name: String?) {
        let rules = ProviderRules([
            (".mail.protection.outlook.com", "microsoft"), ("l.google.com", "google"),
            ("special.l.google.com", "google-special"),
        ])
        #expect(rules.provider(of: host) == name)
    }
}

@Suite("The retry schedule")
struct RetryScheduleTests {
    @Test(
        "the wait doubles up to the longest",
        arguments: [(1, 300), (2, 600), (3, 1200), (4, 2400), (5, 3600), (100, 3600)] as [(Int, Int64)]
    )
    func doubles(failures: Int, seconds: Int64) {
        var random = Generator(state: 1)
        var schedule = RetrySchedule()
        schedule.jitter = 0
        #expect(schedule.wait(afterFailures: failures, using: &random) == .seconds(seconds))
        schedule.jitter = 0.2
        for _ in 0..<100 {
            let wait = schedule.wait(afterFailures: failures, using: &random)
            #expect(wait >= .seconds(seconds) * 0.8 && wait <= .seconds(seconds) * 1.2)
        }
    }
}
