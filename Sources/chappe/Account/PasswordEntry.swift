import Glibc

/// A password from a person, without an echo, or from the first line of standard input.
enum PasswordEntry {
    static func read(on screen: Screen) throws -> String {
        guard isatty(STDIN_FILENO) == 1 else {
            guard let line = readLine(strippingNewline: true) else {
                throw Complaint("no password came on standard input", .usage)
            }
            return line
        }
        let first = try ask("Password: ", on: screen)
        let second = try ask("Again: ", on: screen)
        guard first == second else {
            throw Complaint("the two are not the same: nothing was changed", .usage)
        }
        return first
    }

    private static func ask(_ prompt: String, on screen: Screen) throws -> String {
        var old = termios()
        tcgetattr(STDIN_FILENO, &old)
        var silent = old
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &old) }
        screen.warn(prompt)
        guard let line = readLine(strippingNewline: true) else {
            throw Complaint("no password was given", .usage)
        }
        return line
    }
}
