import Glibc
import Testing

@Suite("A real node", .serialized)
struct NodeTests {
    private static let message = "From: sender@example.test\r\nSubject: x\r\n\r\n.one\r\n"

    @Test("relays a message, whole, and can tell its story")
    func relays() async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let node = try NodeProcess(.init(sinkPort: sink.port))
            let id = try Wire.session(node.port).deliver(
                "From: sender@example.test\r\nSubject: x\r\n\r\n..one\r\n")
            try sink.wait(for: 1)
            #expect(sink.messages[0].hasPrefix("Received: from client.example.test"))
            #expect(sink.messages[0].hasSuffix(Self.message))
            #expect(sink.messages[0].contains(id))
            try node.waitForAdmin()
            try Waiting.until("explain tells of the delivery") {
                try node.chappe("explain", id).output.contains("250 2.0.0 taken")
            }
            let story = try node.chappe("explain", id)
            #expect(story.code == 0)
            #expect(story.output.contains("sender@example.test"))
            #expect(story.output.contains("someone@example.net"))
            #expect(try node.chappe("queue", "show", id).code != 0)
            #expect(try node.chappe("explain", "01JC938NKRKAY0000003000000").code != 0)
        }
    }

    @Test("has everything after kill -9 that it had answered 250 to, and delivers it")
    func crash() async throws {
        try await Threads.run {
            let sink = try Sink(isSilent: true)
            defer { sink.stop() }
            let node = try NodeProcess(.init(sinkPort: sink.port))
            let wire = try Wire.session(node.port)
            let ids = try (1...20).map { number in
                try wire.deliver("Subject: \(number)\r\n\r\n", to: "user\(number)@example.net")
            }
            // An attempt is under way at the moment of the crash, and its end will never be known.
            try Waiting.until("the sink was called") { sink.connections > 0 }
            try node.crash()
            sink.speak()
            try node.start()
            try sink.wait(for: ids.count)
            for id in ids { #expect(sink.messages.contains { $0.contains(id) }, "\(id) is lost") }
            #expect(sink.messages.count == ids.count)
            node.signal(SIGTERM)
            #expect(try node.waitForEnd() == 0)
        }
    }

    @Test("lets a transaction end after SIGTERM, says 421 4.3.2 behind it, and ends with 0")
    func drain() async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let node = try NodeProcess(.init(sinkPort: sink.port, extra: "limits: {drain-timeout: 1m}"))
            let wire = try Wire.session(node.port)
            #expect(wire.ask("MAIL FROM:<sender@example.test>")?.hasPrefix("250 ") == true)
            let idle = try Wire.session(node.port)
            node.signal(SIGTERM)
            #expect(idle.reply()?.hasPrefix("421 4.3.2 ") == true)
            #expect(idle.reply() == nil)
            #expect(wire.ask("RCPT TO:<someone@example.net>")?.hasPrefix("250 ") == true)
            #expect(wire.ask("DATA")?.hasPrefix("354 ") == true)
            #expect(wire.ask("one\r\n.")?.hasPrefix("250 ") == true)
            #expect(wire.ask("NOOP")?.hasPrefix("421 4.3.2 ") == true)
            #expect(try node.waitForEnd() == 0)
            #expect(throws: Failure.self) { try Wire(port: node.port) }
            // Taken is taken: if it did not go before the end, it goes after the next start.
            try node.start()
            try sink.wait(for: 1)
        }
    }

    @Test("puts a new configuration in force at SIGHUP, wholly, and keeps the old one if the new is wrong")
    func reload() async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let node = try NodeProcess(.init(greeting: "ESMTP first", sinkPort: sink.port))
            #expect(try Wire(port: node.port).reply()?.hasSuffix(" first") == true)
            try node.write(.init(greeting: "ESMTP second", sinkPort: sink.port))
            node.signal(SIGHUP)
            try node.log.wait(for: "configuration reloaded")
            #expect(try Wire(port: node.port).reply()?.hasSuffix(" second") == true)
            try node.write(.init(greeting: "ESMTP third", sinkPort: sink.port, extra: "no-such-setting: 1"))
            node.signal(SIGHUP)
            try node.log.wait(for: "reload refused")
            #expect(try Wire(port: node.port).reply()?.hasSuffix(" second") == true)
            // The file is right and what it names is not there: found before anything is changed.
            try node.write(
                .init(
                    greeting: "ESMTP fourth", sinkPort: sink.port,
                    extra: "tls: {certificates: [{certificate: none.crt, key: none.key}]}"))
            try node.waitForAdmin()
            let refused = try node.chappe("reload")
            #expect(refused.code != 0 && refused.output.contains("none.crt"), "\(refused)")
            #expect(try Wire(port: node.port).reply()?.hasSuffix(" second") == true)
            _ = try Wire.session(node.port).deliver(Self.message)
            try sink.wait(for: 1)
        }
    }

    @Test("opens its event file anew at SIGUSR1, and no event is lost between the two")
    func rotation() async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let node = try NodeProcess(.init(sinkPort: sink.port))
            let wire = try Wire.session(node.port)
            let first = try wire.deliver(Self.message)
            try sink.wait(for: 1)
            let file = node.folder + "/events.jsonl"
            rename(file, file + ".1")
            node.signal(SIGUSR1)
            try Waiting.until("the file is there again") { access(file, F_OK) == 0 }
            let second = try wire.deliver(Self.message)
            try sink.wait(for: 2)
            node.signal(SIGTERM)
            #expect(try node.waitForEnd() == 0)
            let old = try #require(Folder.text(file + ".1"))
            let new = try #require(Folder.text(file))
            #expect(old.contains(first))
            #expect(new.contains(second) && !old.contains(second))
            #expect(new.contains("stopped"))
        }
    }

    @Test("says where its configuration is wrong, and ends with 78")
    func wrongConfiguration() async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let node = try NodeProcess(.init(sinkPort: sink.port))
            node.signal(SIGTERM)
            try node.waitForEnd()
            try node.write(.init(sinkPort: sink.port, extra: "postmasters: nobody"))
            #expect(throws: Failure.self) { try node.start() }
            #expect(try node.waitForEnd() == 78)
            #expect(node.log.text.contains("postmaster"))
            #expect(node.log.text.contains("chappe.yaml:12:1: error: unknown setting"))
        }
    }

    @Test(
        "does not begin without the doors for its operators, and says why",
        arguments: [
            ("127.0.0.1", "Address already in use"), ("192.0.2.1", "Cannot assign requested address"),
        ])
    func closedDoors(_ host: String, _ reason: String) async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let node = try NodeProcess(
                .init(admin: ", metrics: \"\(host):\(sink.port)\"", sinkPort: sink.port), starts: false)
            #expect(throws: Failure.self) { try node.start() }
            #expect(try node.waitForEnd() == 78)
            let words = "error: admin: cannot listen at \(host):\(sink.port): \(reason); "
            #expect(node.log.text.contains(words), "\(node.log.text)")
            #expect(!node.log.text.contains("listening"))
        }
    }

    @Test("does not wait for a client that falls silent inside a transaction, and tells it why it hangs up")
    func silentClient() async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            let node = try NodeProcess(
                .init(
                    sinkPort: sink.port, extra: "limits: {drain-timeout: 1s}\nshutdown: {grace: 10m}"))
            let waiting = try Wire.session(node.port)
            #expect(waiting.ask("MAIL FROM:<sender@example.test>")?.hasPrefix("250 ") == true)
            let sending = try Wire.session(node.port)
            for command in ["MAIL FROM:<sender@example.test>", "RCPT TO:<someone@example.net>", "DATA"] {
                #expect(sending.ask(command)?.first != "5")
            }
            sending.send("Subject: half\r\n")
            node.signal(SIGTERM)
            for wire in [waiting, sending] {
                #expect(wire.reply()?.hasPrefix("421 4.3.2 ") == true)
                #expect(wire.reply() == nil)
            }
            #expect(try node.waitForEnd() == 0)
        }
    }

    @Test("spends its grace once, and tells who is cut off")
    func oneGrace() async throws {
        try await Threads.run {
            let sink = try Sink()
            defer { sink.stop() }
            sink.oweReplies()
            let grace = 5
            let node = try NodeProcess(
                .init(
                    sinkPort: sink.port,
                    extra: "limits: {drain-timeout: 1m}\nshutdown: {grace: \(grace)s}"))
            _ = try Wire.session(node.port).deliver(Self.message)
            try Waiting.until("the sink has the message in hand") { sink.messages.count == 1 }
            let waiting = try Wire.session(node.port)
            #expect(waiting.ask("MAIL FROM:<sender@example.test>")?.hasPrefix("250 ") == true)
            let begun = ContinuousClock.now
            node.signal(SIGTERM)
            #expect(waiting.reply()?.hasPrefix("421 4.3.2 ") == true)
            #expect(try node.waitForEnd() == 0)
            let took = ContinuousClock.now - begun
            #expect(took >= .seconds(grace - 1) && took < .seconds(2 * grace - 1), "\(took)")
            let events = try #require(Folder.text(node.folder + "/events.jsonl"))
            #expect(events.contains("cut off by us"))
            #expect(!events.contains("the peer closed the connection"))
        }
    }
}
