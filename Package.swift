// swift-tools-version: 6.2
import PackageDescription

// Every target, lowest floor first. A target names only targets of lower floors; `TidyTests` reads this file
// and checks it.

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")

func room(
    _ floor: Int, _ name: String, on lower: [String] = [], _ outside: [Target.Dependency] = [],
    exclude: [String] = []
) -> Target {
    .target(
        name: name, dependencies: lower.map { .byName(name: $0) } + outside, exclude: exclude,
        swiftSettings: strict)
}

func door(_ name: String, on lower: [String], _ outside: [Target.Dependency] = []) -> Target {
    .executableTarget(
        name: name, dependencies: lower.map { .byName(name: $0) } + outside, swiftSettings: strict)
}

func tests(
    _ name: String, on rooms: [String], _ outside: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: rooms.map { .byName(name: $0) } + outside, exclude: exclude,
        swiftSettings: strict)
}

let ground: [Target] = [
    .systemLibrary(name: "COpenSSL"),
    .systemLibrary(name: "CUnbound"),
    .systemLibrary(name: "CRocksDB"),
    .systemLibrary(name: "COctets"),
    .systemLibrary(name: "CZeroMQ"),
    room(0, "MailValues", exclude: ["MailValues.docc"]),
]

let formats: [Target] = [
    room(1, "OctetKernels", on: ["COctets"]),
    room(1, "SMTPProtocol", on: ["MailValues"], exclude: ["SMTPProtocol.docc"]),
    room(1, "MessageFormat", on: ["MailValues"], exclude: ["MessageFormat.docc"]),
    room(1, "DNSRecords", on: ["MailValues"], exclude: ["DNSRecords.docc"]),
    room(1, "Convergence", on: ["MailValues"], exclude: ["Convergence.docc"]),
    room(1, "Cryptography", on: ["COpenSSL", "MailValues"], exclude: ["Cryptography.docc"]),
    room(1, "Telemetry", on: ["MailValues"], exclude: ["Telemetry.docc"]),
    room(1, "AdminProtocol", on: ["MailValues"], exclude: ["AdminProtocol.docc"]),
]

let engines: [Target] = [
    room(2, "Filtering", on: ["MailValues", "OctetKernels", "Convergence"], exclude: ["Filtering.docc"]),
    room(
        2, "Reputation", on: ["MailValues", "Convergence"], exclude: ["Reputation.docc"]),
    room(2, "RoutingPolicy", on: ["MailValues", "SMTPProtocol"], exclude: ["RoutingPolicy.docc"]),
    room(
        2, "Membership", on: ["MailValues", "Convergence", "Cryptography"], [protobuf],
        exclude: ["Membership.docc", "Proto"]),
    room(
        2, "QueueEngine", on: ["MailValues", "SMTPProtocol"], [protobuf],
        exclude: ["QueueEngine.docc", "Proto"]),
]

let flows: [Target] = [
    room(
        3, "Intake",
        on: [
            "MailValues", "SMTPProtocol", "MessageFormat", "DNSRecords", "Cryptography", "Telemetry",
            "RoutingPolicy", "QueueEngine", "Filtering", "Reputation", "Convergence",
        ], exclude: ["Intake.docc"]),
    room(
        3, "Delivery",
        on: [
            "MailValues", "SMTPProtocol", "MessageFormat", "DNSRecords", "Telemetry", "RoutingPolicy",
            "QueueEngine",
        ], [deque], exclude: ["Delivery.docc"]),
    room(3, "Threads"),
]

let shells: [Target] = [
    room(
        4, "SMTPTransport", on: ["COpenSSL", "MailValues", "SMTPProtocol", "Cryptography"], nio,
        exclude: ["SMTPTransport.docc"]),
    room(4, "DNSResolution", on: ["CUnbound", "MailValues", "DNSRecords"], exclude: ["DNSResolution.docc"]),
    room(
        4, "QueueStorage", on: ["CRocksDB", "MailValues", "SMTPProtocol", "QueueEngine", "Threads"],
        [protobuf],
        exclude: ["Proto"]),
    room(4, "GossipTransport", on: ["CZeroMQ", "MailValues", "Membership", "Threads"]),
    room(4, "EventRecording", on: ["MailValues", "Telemetry", "Threads"]),
    room(
        4, "AdminServer", on: ["MailValues", "AdminProtocol"],
        [hummingbird, log, .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")] + nio),
    room(4, "AdminClient", on: ["MailValues", "AdminProtocol"], exclude: ["AdminClient.docc"]),
]

let house: [Target] = [
    room(
        5, "RelayNode",
        on: [
            "MailValues", "SMTPProtocol", "MessageFormat", "DNSRecords", "Cryptography", "Telemetry",
            "AdminProtocol", "RoutingPolicy", "QueueEngine", "Intake", "Delivery", "SMTPTransport",
            "DNSResolution",
            "QueueStorage",
            "EventRecording", "AdminServer", "Convergence", "Membership", "GossipTransport", "Reputation",
            "Filtering",
        ], [yams] + nio),
    room(5, "ClusterSimulation", on: ["MailValues", "Convergence", "Cryptography", "Membership"], [heap]),
]

let doors: [Target] = [
    door("simulate", on: ["ClusterSimulation"], [arguments]),
    door(
        "benchmarks",
        on: [
            "MailValues", "SMTPProtocol", "MessageFormat", "Cryptography", "Telemetry", "RoutingPolicy",
            "QueueEngine", "Filtering", "Reputation", "Intake", "QueueStorage",
        ], [arguments]),
    door("chapped", on: ["RelayNode"], [arguments]),
    door(
        "chappe",
        on: [
            "MailValues", "SMTPProtocol", "Cryptography", "Telemetry", "AdminProtocol", "RoutingPolicy",
            "Convergence", "Filtering", "Reputation", "Membership", "Intake",
            "QueueStorage", "AdminClient", "Threads", "RelayNode",
        ], [arguments]),
]

/// What tests of several targets share; it stands beside the house, not in it.
let support: [Target] = [
    .target(
        name: "TestSupport",
        dependencies: [
            "MailValues", "SMTPProtocol", "DNSRecords", "Telemetry", "QueueEngine", "QueueStorage",
            "Delivery",
        ],
        path: "Tests/TestSupport", swiftSettings: strict),
    .target(
        name: "AdminSupport", dependencies: ["MailValues", "AdminProtocol", "AdminServer", "AdminClient"],
        path: "Tests/AdminSupport", swiftSettings: strict),
    .executableTarget(
        name: "StoreCrasher", dependencies: ["MailValues", "SMTPProtocol", "QueueEngine", "QueueStorage"],
        path: "Tests/StoreCrasher", swiftSettings: strict),
    .executableTarget(
        name: "LinkTrial", dependencies: ["MailValues", "Membership", "GossipTransport"],
        path: "Tests/LinkTrial", swiftSettings: strict),
    .executableTarget(
        name: "LeavingTrial",
        dependencies: [
            "MailValues", "SMTPProtocol", "DNSRecords", "QueueEngine", "QueueStorage", "Delivery",
            "Membership",
            "GossipTransport", "RelayNode", "TestSupport",
        ],
        path: "Tests/LeavingTrial", swiftSettings: strict),
]

let suites: [Target] = [
    tests("MailValuesTests", on: ["MailValues"]),
    tests("SMTPProtocolTests", on: ["MailValues", "SMTPProtocol"], exclude: ["Transcripts"]),
    tests("MessageFormatTests", on: ["MailValues", "MessageFormat"]),
    tests("DNSRecordsTests", on: ["MailValues", "DNSRecords"]),
    tests("ConvergenceTests", on: ["MailValues", "Convergence"]),
    tests("CryptographyTests", on: ["MailValues", "Cryptography"]),
    tests("TelemetryTests", on: ["MailValues", "Telemetry"]),
    tests("AdminProtocolTests", on: ["MailValues", "AdminProtocol"]),
    tests("OctetKernelsTests", on: ["OctetKernels"]),
    tests("FilteringTests", on: ["MailValues", "Convergence", "Filtering"]),
    tests("ReputationTests", on: ["MailValues", "Convergence", "Reputation"]),
    tests("RoutingPolicyTests", on: ["MailValues", "SMTPProtocol", "RoutingPolicy"]),
    tests("MembershipTests", on: ["MailValues", "Convergence", "Cryptography", "Membership"]),
    tests("ClusterSimulationTests", on: ["MailValues", "Membership", "ClusterSimulation"]),
    tests("QueueEngineTests", on: ["MailValues", "SMTPProtocol", "QueueEngine", "TestSupport"]),
    tests(
        "IntakeTests",
        on: [
            "MailValues", "SMTPProtocol", "MessageFormat", "Cryptography", "DNSRecords", "Telemetry",
            "RoutingPolicy",
            "QueueEngine", "Filtering", "Reputation", "Intake", "TestSupport",
        ]),
    tests(
        "DeliveryTests",
        on: [
            "MailValues", "SMTPProtocol", "MessageFormat", "DNSRecords", "Telemetry", "RoutingPolicy",
            "QueueEngine",
            "Delivery", "TestSupport",
        ]),
    tests("ThreadsTests", on: ["Threads"]),
    tests(
        "SMTPTransportTests",
        on: ["COpenSSL", "MailValues", "SMTPProtocol", "Cryptography", "SMTPTransport", "TestSupport"],
        nio + [.product(name: "NIOEmbedded", package: "swift-nio")]),
    tests("DNSResolutionTests", on: ["MailValues", "DNSRecords", "DNSResolution"]),
    tests(
        "QueueStorageTests",
        on: [
            "MailValues", "SMTPProtocol", "QueueEngine", "Threads", "QueueStorage", "StoreCrasher",
            "TestSupport",
        ],
        [protobuf]),
    tests(
        "GossipTransportTests", on: ["CZeroMQ", "MailValues", "Membership", "GossipTransport"]),
    tests("EventRecordingTests", on: ["MailValues", "Telemetry", "EventRecording"]),
    tests("AdminClientTests", on: ["AdminClient"]),
    tests(
        "AdminServerTests",
        on: ["MailValues", "AdminProtocol", "AdminServer", "AdminClient", "AdminSupport"]),
    tests(
        "RelayNodeTests",
        on: [
            "MailValues", "SMTPProtocol", "DNSRecords", "Cryptography", "QueueEngine", "QueueStorage",
            "RoutingPolicy", "Telemetry", "Delivery", "Membership", "GossipTransport", "AdminProtocol",
            "Convergence", "Filtering", "Reputation", "Intake", "RelayNode", "TestSupport",
        ]),
    tests(
        "ChappeTests",
        on: [
            "MailValues", "Cryptography", "AdminProtocol", "RoutingPolicy", "QueueStorage", "AdminClient",
            "Convergence", "Filtering", "Reputation", "Membership", "RelayNode", "AdminSupport", "chappe",
        ], [arguments]),
    tests("EndToEndTests", on: ["chapped", "chappe"]),
    tests("TidyTests", on: []),
]

let package = Package(
    name: "chappe",
    products: [
        .executable(name: "chapped", targets: ["chapped"]),
        .executable(name: "chappe", targets: ["chappe"]),
        .executable(name: "simulate", targets: ["simulate"]),
        .executable(name: "benchmarks", targets: ["benchmarks"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: ground + formats + engines + flows + shells + house + doors + support + suites)
