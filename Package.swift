// swift-tools-version: 6.2
import PackageDescription

// Every target, lowest floor first. A target names only targets of lower floors; `TidyTests` reads this file and checks it.

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
    .executableTarget(name: name, dependencies: lower.map { .byName(name: $0) } + outside, swiftSettings: strict)
}

func tests(_ name: String, on rooms: [String], _ outside: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: rooms.map { .byName(name: $0) } + outside, exclude: exclude,
        swiftSettings: strict)
}

let ground: [Target] = [
    .systemLibrary(name: "COpenSSL"),
    .systemLibrary(name: "CUnbound"),
    .systemLibrary(name: "CRocksDB"),
    room(0, "MailValues"),
]

let formats: [Target] = [
    room(1, "SMTPProtocol", on: ["MailValues"], exclude: ["SMTPProtocol.docc"]),
    room(1, "MessageFormat", on: ["MailValues"], exclude: ["MessageFormat.docc"]),
    room(1, "DNSRecords", on: ["MailValues"], exclude: ["DNSRecords.docc"]),
    room(1, "Cryptography", on: ["COpenSSL", "MailValues"], exclude: ["Cryptography.docc"]),
    room(1, "Telemetry", on: ["MailValues"]),
    room(1, "AdminProtocol", on: ["MailValues"]),
]

let engines: [Target] = [
    room(2, "RoutingPolicy", on: ["MailValues", "SMTPProtocol"]),
    room(2, "QueueEngine", on: ["MailValues", "SMTPProtocol", "Telemetry"]),
]
