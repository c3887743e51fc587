import RelayNode
import Testing

@Suite("Problems in a configuration")
struct ConfigurationProblemTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let problems: [String]
        var testDescription: String { text.debugDescription }

        init(_ more: String, _ problems: String...) {
            text = ConfigurationFixture.text(more)
            self.problems = problems
        }

        init(whole: String, _ problems: String...) {
            text = whole
            self.problems = problems
        }
    }

    @Test(
        "a problem is told with its line, its column and what was expected",
        arguments: [
            Case("", contentsOf: []),
            Case("hostnme: x\n", "8:1: error: unknown setting `hostnme`; did you mean `hostname`?"),
            Case(
                "delivery:\n  retry:\n    firts: 5m\n",
                "10:5: error: unknown setting `delivery.retry.firts`; did you mean `first`?"),
            Case(
                "limits:\n  messageSize: 5MiB\n",
                "9:3: error: unknown setting `limits.messageSize`; did you mean `message-size`?"),
            Case(
                "limits: {message_size: 5MiB}\n",
                "8:10: error: unknown setting `limits.message_size`; did you mean `message-size`?"),
            Case("banana: 1\n", "8:1: error: unknown setting `banana`"),
            Case(
                "shutdown:\n  grace: 30\n",
                "9:10: error: `shutdown.grace` expects a duration from 0s to 1h, such as 1h30m, not `30`"
            ),
            Case(
                "limits:\n  message-size: 50MB\n",
                "9:17: error: `limits.message-size` expects a size from 64KiB to 2GiB, such as 64KiB or 50MiB, not `50MB`"
            ),
            Case(
                "limits:\n  recipients: 5\n",
                "9:15: error: `limits.recipients` expects a number from 100 to 100000, not `5`"),
            Case(
                "limits:\n  recipients:\n",
                "9:14: error: `limits.recipients` expects a number from 100 to 100000, and has nothing"),
            Case("admin: yes\n", "8:8: error: `admin` expects settings below it, one `name: value` a line"),
            Case(
                "user: a b\n",
                "8:7: error: `user` expects a name of letters, digits, `-`, `_` and `.`, not `a b`"),
            Case(
                "relay:\n  networks: [10.0.0.0/8, 10.1.2.3/8]\n",
                "9:26: error: `relay.networks` expects a network such as 10.0.0.0/8 or 2001:db8::/32, not `10.1.2.3/8`"
            ),
            Case(
                "user: a\nuser: b\n", "9:1: error: `user` stands twice in the same section, first at 8:1"),
            Case(
                "admin: {socket: a, metrics: none}\nlimits:\n  recipients: 100\n\n# again\n  \"recipients\": 200\n",
                "13:3: error: `recipients` stands twice in the same section, first at 10:3"),
            Case(
                "admin: {group: a, socket: \"b, group: c\", group: d}\n",
                "8:42: error: `group` stands twice in the same section, first at 8:9"),
            Case(
                "delivery:\n  retry: {\n    first: 5m,\n    first: 6m}\n",
                "11:5: error: `first` stands twice in the same section, first at 10:5"),
            Case(
                "routes:\n  default:\n    smarthost: a.example:25\n  other.example:\n    smarthost: b.example:25\n"
                    + "  default: {}\n",
                "13:3: error: `default` stands twice in the same section, first at 9:3"),
            Case(
                "delivery: {tls: {example.org: always}}\n",
                "8:31: error: `delivery.tls.example.org` expects `none`, `may`, `require` or `verify`, not `always`"
            ),
            Case(
                "delivery: {retry: {first: 2h, longest: 1h}}\n",
                "8:27: error: `delivery.retry.first` is longer than `delivery.retry.longest`"),
        ])
    func tells(_ sample: Case) {
        #expect(ConfigurationFixture.problems(sample.text) == sample.problems)
    }

    @Test("what is not YAML is told with its place")
    func notYAML() {
        let problems = ConfigurationFixture.problems("hostname: [a\npostmaster: b\n")
        #expect(problems.count == 1 && problems[0].hasPrefix("2:11: error: not YAML: "))
        #expect(ConfigurationFixture.problems("a: 1\n\tb: 2\n")[0].contains("not YAML"))
    }

    @Test("all mistakes are told at once, in the order of the file")
    func tellsAll() {
        let text = "hostname: -x-\nuser: a b\nlistners: []\n"
        #expect(
            ConfigurationFixture.problems(text).map { $0.prefix(9) }
                == ["1:1: erro", "1:1: erro", "1:11: err", "2:7: erro", "3:1: erro"].map { $0.prefix(9) })
    }

    @Test("an empty file says what must be there", arguments: ["", "# nothing\n", "{}\n"])
    func empty(_ text: String) {
        let problems = ConfigurationFixture.problems(text)
        for name in ["hostname", "postmaster", "listeners"] {
            #expect(problems.contains { $0.contains("`\(name)`") })
        }
    }

    @Test("a list where one value belongs gets a hint at quotes", arguments: ["[\"::\"]", "{a: 1}"])
    func hintsAtQuotes(_ value: String) {
        let problems = ConfigurationFixture.problems(
            ConfigurationFixture.text("admin: {metrics: \(value)}\n"))
        #expect(problems.count == 1 && problems[0].contains("and has a list or section"))
        #expect(problems[0].contains("must stand in quotes") == value.hasPrefix("["))
    }

    @Test("brackets without quotes are told as what YAML makes of them")
    func unquotedBrackets() {
        let text = ConfigurationFixture.text("admin:\n  metrics: [::1]:9125\n")
        #expect(ConfigurationFixture.problems(text).allSatisfy { $0.hasPrefix("9:") || $0.hasPrefix("10:") })
        #expect(!ConfigurationFixture.problems(text).isEmpty)
    }
}

extension ConfigurationProblemTests.Case {
    init(_ more: String, contentsOf problems: [String]) {
        text = ConfigurationFixture.text(more)
        self.problems = problems
    }
}
