/// The node in one screen.
package struct NodeStatus: Codable, Hashable, Sendable {
    /// In ascending order of trouble; `chappe status` exits 0, 1 or 2.
    package enum Health: String, Codable, Sendable, CaseIterable, Comparable {
        case ok, degraded, critical

        private var rank: Int { self == .ok ? 0 : self == .degraded ? 1 : 2 }
        package static func < (left: Health, right: Health) -> Bool { left.rank < right.rank }
    }

    /// One thing that is not as it should be.
    package struct Problem: Codable, Hashable, Sendable {
        package var severity: Health
        package var what: String
        package var advice: String?
        package init(_ severity: Health, _ what: String, advice: String? = nil) {
            self.severity = severity
            self.what = what
            self.advice = advice
        }
    }

    package struct Listener: Codable, Hashable, Sendable {
        package var name: String
        package var address: String
        package init(name: String, address: String) {
            self.name = name
            self.address = address
        }
    }

    /// Counts since the start.
    package struct Intake: Codable, Hashable, Sendable {
        package var accepted = 0
        package var refused = 0
        package var refusedTemporarily = 0
        package var sessions = 0
        /// Why no mail is taken at this moment.
        package var stopped: String?
        package init() {}
    }

    package struct Queue: Codable, Hashable, Sendable {
        package var messages = 0
        package var octets: Int?
        package var held = 0
        /// Offered to another node because this one leaves, and not taken yet: attempted by nobody meanwhile.
        package var offered: Int?
        package var deferred = 0
        package var active = 0
        package var oldest: Moment?
        package var dueWithinMinute: Int?
        /// False while the queue is read after a start; the counts are then lower bounds.
        package var isLoaded = true
        package init() {}
    }

    /// Counts since the start, of recipients.
    package struct Delivery: Codable, Hashable, Sendable {
        package var delivered = 0
        package var deferred = 0
        package var bounced = 0
        package var expired = 0
        package var connections = 0
        package var possibleDuplicates = 0
        /// Why no attempt is made at this moment.
        package var stopped: String?
        package init() {}
    }

    package struct Store: Codable, Hashable, Sendable {
        package var format = 0
        package var freeOctets = 0
        package var reserveOctets = 0
        package var usedOctets: Int?
        /// What is wrong with it.
        package var sick: String?
        package init() {}
    }

    package struct Events: Codable, Hashable, Sendable {
        package var written = 0
        package var dropped = 0
        package init() {}
    }

    /// The cluster as this node sees it.
    package struct Cluster: Codable, Hashable, Sendable {
        /// As `members` shows them.
        package var members: [MemberRow]
        /// Sums of what the members said last, this node's own among them.
        package var queuedMessages: Int
        package var acceptedPerMinute: Int
        /// Orders that hold.
        package var orders: Int
        package var blocks: Int
        package var verdicts: Int
        package init(
            members: [MemberRow], queuedMessages: Int, acceptedPerMinute: Int, orders: Int, blocks: Int,
            verdicts: Int
        ) {
            self.members = members
            self.queuedMessages = queuedMessages
            self.acceptedPerMinute = acceptedPerMinute
            self.orders = orders
            self.blocks = blocks
            self.verdicts = verdicts
        }
    }

    package var schema = AdminAPI.schema
    package var hostname: String
    package var version: String
    package var pid: Int32
    package var startedAt: Moment
    package var now: Moment
    package var isDraining = false
    package var configurationPath: String?
    package var configurationLoadedAt: Moment?
    package var listeners: [Listener] = []
    package var intake = Intake()
    package var queue = Queue()
    package var delivery = Delivery()
    package var store = Store()
    package var events = Events()
    /// nil: the node is in no cluster.
    package var cluster: Cluster?
    package var problems: [Problem] = [] {
        didSet { health = problems.lazy.map(\.severity).max() ?? .ok }
    }
    /// That of the worst problem.
    package private(set) var health = Health.ok

    package init(hostname: String, version: String, pid: Int32, startedAt: Moment, now: Moment) {
        self.hostname = hostname
        self.version = version
        self.pid = pid
        self.startedAt = startedAt
        self.now = now
    }
}
