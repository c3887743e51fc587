import SMTPProtocol

extension ConfigurationReader {
    func readIntake(_ section: Section, into intake: inout IntakeConfiguration) {
        readSessionLimits(section, into: &intake.limits)
        section.read("sessions", .count(1...1_000_000), into: &intake.sessionsTotal)
        section.read("sessions-per-network", .count(1...1_000_000), into: &intake.sessionsPerNetwork)
        section.read("octets-in-flight", .size(1 << 20...1 << 40), into: &intake.octetsInFlight)
        section.read("hops", .count(20...1_000), into: &intake.hopLimit)
        if let total = intake.sessionsTotal, let perNetwork = intake.sessionsPerNetwork, perNetwork > total {
            problems.error(
                at: section.place(of: "sessions-per-network"),
                "`limits.sessions-per-network` is more than `limits.sessions`")
        }
        section.finish()
    }

    /// The limits of one session; a listener may have its own.
    func readSessionLimits(_ section: Section, into limits: inout SessionLimits) {
        section.read("command-line", .size(512...65_536), into: &limits.commandLineOctets)
        section.read("authentication-line", .size(2_048...65_536), into: &limits.authenticationLineOctets)
        // RFC 5321 §4.5.3.1.8
        section.read("recipients", .count(100...100_000), into: &limits.recipientCount)
        section.read("recipients-of-reports", .count(1...100_000), into: &limits.nullPathRecipientCount)
        section.read(
            "transactions", SettingKind.count(1...1_000_000).or("unlimited"), into: &limits.transactionCount)
        // RFC 5321 §4.5.3.1.7
        section.read("message-size", .size(65_536...2 << 30), into: &limits.messageOctets)
        // Intake looks at a header in one piece, and a piece that is stored has 256 KiB.
        section.read("header-size", .size(16 << 10...256 << 10), into: &limits.headerOctets)
        section.read("line-length", .size(998...64 << 20), into: &limits.textLineOctets)
        section.read("errors", .count(1...10_000), into: &limits.errorCount)
        section.read("junk-commands", .count(1...100_000), into: &limits.junkCommandCount)
        let timeout = SettingKind.duration(.seconds(1) ... .seconds(86_400))
        section.read("command-timeout", timeout, into: &limits.commandTimeout)
        section.read("content-timeout", timeout, into: &limits.contentTimeout)
        section.read("message-timeout", timeout, into: &limits.messageTimeout)
        section.read("handshake-timeout", timeout, into: &limits.handshakeTimeout)
        section.read("answer-timeout", timeout, into: &limits.answerTimeout)
        section.read("session-timeout", timeout, into: &limits.sessionTimeout)
        section.read("drain-timeout", timeout, into: &limits.drainTimeout)
        if section.has("command-timeout"), limits.commandTimeout < .seconds(300) {
            problems.warning(
                at: section.place(of: "command-timeout"),
                "\(section.display("command-timeout")) is less than the 5m that clients may count on"
            )
        }
    }
}
