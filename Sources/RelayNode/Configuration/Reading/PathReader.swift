/// Paths named in the configuration: made absolute, looked at, refused where they would give a secret away.
struct PathReader {
    let directory: String
    let files: ConfigurationFiles
    let problems: ProblemList

    /// A path that need not exist yet.
    var path: SettingKind<String> {
        SettingKind("a path") { text in
            guard !text.isEmpty, text.utf8.count < 4096, !text.utf8.contains(where: { $0 < 0x20 }) else {
                return nil
            }
            return text.first == "/" ? text : "\(directory)/\(text)"
        }
    }

    /// A file that must be there.
    func file(_ section: Section, _ name: String) -> String? {
        guard let path = section.value(name, path) else { return nil }
        return check(path, isSecret: false, section, name) ? path : nil
    }

    /// A file that must be there, and that nobody but its owner may read.
    func secretFile(_ section: Section, _ name: String) -> String? {
        guard let path = section.value(name, path) else { return nil }
        return check(path, isSecret: true, section, name) ? path : nil
    }

    private func check(_ path: String, isSecret: Bool, _ section: Section, _ name: String) -> Bool {
        let place = section.place(of: name)
        guard let facts = files.inspect(path) else {
            problems.error(at: place, "\(section.display(name)): there is no file \(path)")
            return false
        }
        guard !facts.isDirectory else {
            problems.error(at: place, "\(section.display(name)): \(path) is a directory")
            return false
        }
        guard !isSecret || facts.mode & 0o077 == 0 else {
            let mode = String(facts.mode & 0o777, radix: 8)
            problems.error(
                at: place,
                "\(section.display(name)): others than its owner may use \(path) (mode \(mode)); say: chmod 600 \(path)"
            )
            return false
        }
        return true
    }
}
