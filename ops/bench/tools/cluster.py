"""Several real nodes made one cluster by the real commands, and what an operator sees of them."""
import json, os, time

from nodeprocess import Node, wait_for


class Cluster:
    def __init__(self, folder, count, port, text, name="relay", key="operator.key"):
        """`text(number)` is a node's configuration but for its listener and its cluster's port, which are made here."""
        self.folder, self.key = folder, folder / key
        self.environment = {**os.environ, "CHAPPE_OPERATOR_KEY": self.key}
        self.nodes, self.made = [], []
        for number in range(1, count + 1):
            self.nodes.append(self.make(number, port + 10 * (number - 1), text(number), f"{name}-{number}"))

    def make(self, number, port, text, name):
        node = Node(self.folder, text + f"cluster: {{address: 127.0.0.1, port: {port + 1}}}\n", port, name)
        node.name, node.cluster_port = name, port + 1
        self.made.append(node)
        return node

    def chappe(self, node, *words):
        return node.chappe(*words, env=self.environment)

    def start(self):
        for node in self.nodes:
            node.start()
        self.must(self.nodes[0], "init", "--name", self.nodes[0].name)
        for node in self.nodes[1:]:
            self.join(node)
        self.settle(self.nodes)

    def must(self, node, *words):
        answer = self.chappe(node, *words)
        assert answer.returncode == 0, f"{words}: {answer.stdout}{answer.stderr}"
        return answer.stdout

    def order(self, node, *words):
        """An order of the operator's, where a member that is played has no need to confirm it (exit code 1)."""
        answer = self.chappe(node, *words)
        assert answer.returncode in (0, 1), f"{words}: {answer.stdout}{answer.stderr}"
        return answer.stdout

    def line(self, node, *words):
        """The words of `chappe join …`, as the member prints them."""
        line = self.must(node, "join-cmd", *words)
        words = next(each for each in line.splitlines() if "chappe join " in each).split()
        return words[words.index("join"):]

    def join(self, node, at=None):
        self.must(node, *self.line(at or self.nodes[0]), "--name", node.name)

    def settle(self, nodes, seconds=30):
        def agree():
            return all(all(row["state"] == "alive" for row in members(node)["members"])
                       and len(members(node)["members"]) == len(nodes) for node in nodes)
        wait_for(agree, seconds, f"{len(nodes)} members that see each other")

    def stop(self):
        """All that were ever made, whatever became of them."""
        for node in self.made:
            node.stop()


def ask(node, *words):
    answer = node.chappe(*words, "-o", "json")
    try:
        return json.loads(answer.stdout)
    except ValueError:
        raise RuntimeError(f"chappe {' '.join(words)} at {node.name}: {answer.returncode} {answer.stdout[:300]} {answer.stderr[:300]}")


def members(node):
    return ask(node, "members")


def states(node):
    return {row["name"]: row["state"] for row in members(node)["members"]}


def cluster_events(at, **wanted):
    """The events of kind cluster that have all these fields."""
    found = []
    for line in at.event_lines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if event.get("kind") == "cluster" and all(str(event.get(name)) == str(value) for name, value in wanted.items()):
            found.append(event)
    return found


def is_up(node):
    return node.process is not None and node.process.poll() is None
