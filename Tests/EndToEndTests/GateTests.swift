import Testing

@Suite("The gate of a real node", .serialized)
struct GateTests {
    private static func wishes(_ sink: Sink, _ reputation: String) -> NodeProcess.Wishes {
        NodeProcess.Wishes(
            sinkPort: sink.port, listener: "proxy-protocol-from: [127.0.0.1], reputation: \(reputation)",
            extra: "gate: {delay: 100ms}")
    }

    /// A session as its client's own address has it; nil: it was not greeted.
    private func session(_ port: UInt16, from client: String) throws -> (wire: Wire, greeting: String?) {
        let wire = try Wire(port: port)
        wire.send("PROXY TCP4 \(client) 127.0.0.1 4321 25\r\n")
        return (wire, wire.reply())
    }

    /// Asks for a stranger's recipient as often as one session may.
    private func tryToRelay(_ port: UInt16, from client: String) throws {
        let (wire, _) = try session(port, from: client)
        _ = wire.ask("EHLO bad.example")
        _ = wire.ask("MAIL FROM:<a@bad.example>")
        for _ in 0..<15 {
            #expect(wire.ask("RCPT TO:<victim@elsewhere.example>")?.hasPrefix("550 5.7.1") == true)
        }
        _ = wire.ask("QUIT")
    }

    @Test("refuses a host that keeps asking to relay, in its greeting, and nobody else")
    func refuses() async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let node = try NodeProcess(Self.wishes(sink, "refuse"))
            #expect(try session(node.port, from: "198.51.100.9").greeting?.hasPrefix("220 ") == true)
            try tryToRelay(node.port, from: "198.51.100.9")
            try Waiting.until("the host is refused") {
                try session(node.port, from: "198.51.100.9").greeting
                    == "554 5.7.1 Mail from 198.51.100.9 is blocked here; ask postmaster@example.test"
            }
            #expect(try session(node.port, from: "203.0.113.5").greeting?.hasPrefix("220 ") == true)
            try node.waitForAdmin()
            #expect(try node.chappe("metrics").output.contains("chappe_gate_refused_total{cause=\"own\"}"))
        }
    }

    @Test("answers it slowly where the listener says so, and takes its mail in the end")
    func slows() async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let node = try NodeProcess(Self.wishes(sink, "slow"))
            try tryToRelay(node.port, from: "198.51.100.9")
            let (_, greeting) = try session(node.port, from: "198.51.100.9")
            #expect(greeting?.hasPrefix("220 ") == true)
            try node.waitForAdmin()
            #expect(try node.chappe("metrics").output.contains("chappe_gate_slowed_total{cause=\"own\"} 1"))
        }
    }

    @Test("lets its own networks do what they like")
    func protects() async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let node = try NodeProcess(Self.wishes(sink, "refuse"))
            for _ in 0..<3 {
                let (wire, _) = try session(node.port, from: "127.0.0.1")
                for _ in 0..<18 { #expect(wire.ask("NONSENSE")?.hasPrefix("500") == true) }
            }
            #expect(try session(node.port, from: "127.0.0.1").greeting?.hasPrefix("220 ") == true)
        }
    }
}
