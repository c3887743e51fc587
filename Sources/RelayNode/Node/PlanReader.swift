import AdminProtocol
import Glibc
import MailValues
import SMTPTransport

/// Reads what a configuration names, for a plan: all that is wrong is noted at once, each with its place.
struct PlanReader {
    let configuration: Configuration
    let problems = ProblemList()

    /// - Parameters:
    ///   - setting: the one that names what is read.
    ///   - file: what must be readable for it.
    ///   - read: what it throws is noted at the setting, and the outcome is nil.
    func take<Value>(_ setting: String, file: String? = nil, _ read: () throws -> Value) -> Value? {
        if let file, !judgeRights(to: file, setting) { return nil }
        do { return try read() } catch {
            note(.error, setting, "\(error)")
            return nil
        }
    }

    func note(_ severity: ConfigurationProblem.Severity, _ setting: String, _ message: String) {
        let place = configuration.place(of: setting)
        switch severity {
        case .error: problems.error(at: place, "`\(setting)`: \(message)")
        case .warning: problems.warning(at: place, "`\(setting)`: \(message)")
        }
    }

    /// What root could read at the start, a reload could not: it is refused from the first day.
    private func judgeRights(to file: String, _ setting: String) -> Bool {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor < 0 else {
            close(descriptor)
            return true
        }
        guard errno == EACCES else { return true }  // whoever reads it has words for all else
        let user = Privileges.userName
        let whom = user == configuration.user ? "\(user), as whom the node runs," : "\(user)"
        note(
            .error, setting,
            "the user \(whom) may not read \(file); chown \(configuration.user) it, and let him into its folder"
        )
        return false
    }

    // MARK: Names of the system

    func judgeUser() {
        // Who is not root stays who he is, and need not have made a user for it.
        let user = getpwnam(configuration.user)?.pointee
        if user == nil, configuration.isGiven("user") || Privileges.isRoot {
            note(.error, "user", "\(Privileges.DropError.noSuchUser(configuration.user))")
        }
        if user?.pw_uid == 0 {
            note(
                .warning, "user",
                "the node keeps the rights of root, and who takes it over has the machine; once its ports are bound it "
                    + "needs none of them: make it a user of its own (adduser --system chappe)")
        }
        if getgrnam(configuration.group) == nil, configuration.isGiven("group") || Privileges.isRoot {
            note(.error, "group", "\(Privileges.DropError.noSuchGroup(configuration.group))")
        }
    }

    func judgeAdminGroup() {
        let group = configuration.admin.group
        guard let entry = getgrnam(group) else {
            if configuration.isGiven("admin.group") {
                note(
                    .error, "admin.group",
                    "there is no group \(group): create it (addgroup --system \(group))")
            }
            return
        }
        if !Privileges.isMember(of: entry.pointee.gr_gid) {
            let user = Privileges.userName
            note(
                .error, "admin.group",
                "the user \(user) is not in the group \(group) and cannot give it the socket; "
                    + "usermod -aG \(group) \(user), or name another group")
        }
    }

    // MARK: Certificates

    /// Who has less time than this left is told.
    static let expiryNotice: Duration = .seconds(14 * 86_400)

    /// Each certificate with its key, tried together; those that cannot be used are noted.
    func identities(now: Timestamp) -> [TLSIdentity] {
        configuration.tls.certificates.enumerated().compactMap { number, certificate in
            let setting = "tls.certificates[\(number)]"
            guard judgeRights(to: certificate.certificateFile, setting + ".certificate"),
                judgeRights(to: certificate.keyFile, setting + ".key")
            else { return nil }
            do throws(TLSConfigurationError) {
                let identity = try TLSIdentity(
                    certificateFile: certificate.certificateFile, keyFile: certificate.keyFile)
                // As the most lenient listener would take it; each listener judges it by its own rules too.
                let tried = try TLSServerContext(settings: .init(identities: [identity], oldestVersion: .v10))
                judgeExpiry(of: tried, certificate.certificateFile, setting + ".certificate", now: now)
                return identity
            } catch {
                let isKey = error.concernsKey(certificate.keyFile)
                note(.error, setting + (isKey ? ".key" : ".certificate"), "\(error)")
                return nil
            }
        }
    }

    private func judgeExpiry(of context: TLSServerContext, _ file: String, _ setting: String, now: Timestamp)
    {
        guard let end = context.certificates.map(\.notAfter).min(), end - now < Self.expiryNotice else {
            return
        }
        note(.warning, setting, "\(file) \(end <= now ? "ended" : "ends") at \(Moment(end)); renew it")
    }
}

extension TLSConfigurationError {
    /// Whether the key is what is wrong.
    fileprivate func concernsKey(_ keyFile: String) -> Bool {
        switch self {
        case .badKey, .keyDoesNotMatch, .keyNotPrivate: true
        case .unreadable(let file, _): file == keyFile
        case .noIdentity, .badCertificate, .badAuthorities, .library: false
        }
    }
}
