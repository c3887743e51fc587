"""Nodes in network namespaces of their own, made one cluster; the links between them can be cut in silence.

`enclose` runs the trial in namespaces of its own (processes, mounts, network), so that all that it makes ends with it, however
it ends. Each node has two links: `eth0` to the other nodes and to nobody else, `mail0` to the trial, which is never cut.
"""

import datetime
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

from admin import Admin
from nodeprocess import Node, wait_for

LINKS, MAIL = "10.77.0", "10.88.0"
OUTSIDE = MAIL + ".254"
# Clients may come from any of these addresses: the trial is at home at all of them.
STRANGERS = "10.128.0.0/9"


def enclose():
    """Runs the calling program again, enclosed; returns there only."""
    if os.environ.get("CHAPPE_ENCLOSED") == "yes":
        os.environ["CHAPPE_ENCLOSED"] = "no"
        os.makedirs("/run/netns", exist_ok=True)
        run("mount", "-t", "tmpfs", "tmpfs", "/run/netns")
        return
    if os.geteuid() != 0:
        sys.exit("this needs root, for namespaces of its own")
    os.environ["CHAPPE_ENCLOSED"] = "yes"
    os.execvp("unshare", ["unshare", "--net", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child", "--",
                          sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]])


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


class Spaces:
    """A namespace for each node, and two switches in the trial's own: one between the nodes, one for mail."""

    def __init__(self, count):
        self.count, self.apart = count, []
        run("ip", "link", "set", "lo", "up")
        for switch in ("links", "apart", "mail"):
            run("ip", "link", "add", switch, "type", "bridge")
            run("ip", "link", "set", switch, "up")
        run("ip", "address", "add", f"{OUTSIDE}/24", "dev", "mail")
        run("ip", "route", "add", "local", STRANGERS, "dev", "lo")
        for number in range(1, count + 1):
            space = self.name(number)
            run("ip", "netns", "add", space)
            run("ip", "-n", space, "link", "set", "lo", "up")
            for device, switch, network in (("eth0", "links", LINKS), ("mail0", "mail", MAIL)):
                port = f"{switch}{number}"
                run("ip", "link", "add", port, "type", "veth", "peer", "name", device, "netns", space)
                run("ip", "link", "set", port, "master", switch, "up")
                run("ip", "-n", space, "address", "add", f"{network}.{number}/24", "dev", device)
                run("ip", "-n", space, "link", "set", device, "up")
            run("ip", "-n", space, "route", "add", "default", "via", OUTSIDE)

    @staticmethod
    def name(number):
        return f"node{number}"

    def cut(self, *numbers):
        """These nodes and the others do not reach each other from now on: their ports move to another switch, and no
        node's own link goes down."""
        for number in numbers:
            self.plug(number, "apart")
        self.apart = list(numbers)

    def heal(self):
        for number in self.apart:
            self.plug(number, "links")
        self.apart = []

    @staticmethod
    def plug(number, switch):
        run("ip", "link", "set", f"links{number}", "master", switch)
        # Forwarding: without a word to the others nobody has to wait for a spanning tree.
        subprocess.run(["ip", "link", "set", f"links{number}", "type", "bridge_slave", "state", "3"], capture_output=True)

    def octets(self, number):
        """Received and sent on the link to the other nodes, all headers included."""
        for line in run("ip", "netns", "exec", self.name(number), "cat", "/proc/net/dev").splitlines():
            if line.strip().startswith("eth0:"):
                fields = line.split(":")[1].split()
                return int(fields[0]), int(fields[8])
        raise RuntimeError("no eth0")


class Frames(threading.Thread):
    """Counts what passes on a node's link to the others, by kind: KEPT keeps connections up (ZeroMQ's heartbeats and bare
    acknowledgements), PROBES are probes and rounds of gossip in which nothing is new, FACTS the rest. All is encrypted; they are
    told apart by their lengths."""

    KEPT, PROBES, FACTS = "kept", "probes", "facts"
    # ZeroMQ's PONG and PING under CURVE, without their TCP header.
    HEARTBEATS = (40, 42)
    # A probe, its answer and a summary have some 130 octets; a fact has a signature of 64 and its way up to it.
    PROBE_LONGEST = 200

    def __init__(self, number):
        super().__init__(daemon=True)
        self.halt = threading.Event()
        self.octets = {(kind, way): 0 for kind in (self.KEPT, self.PROBES, self.FACTS) for way in ("in", "out")}
        # The node's end hangs on our switch: what comes out of the port was sent to the node.
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        self.wire.bind((f"links{number}", 0))
        self.wire.settimeout(0.2)
        self.start()

    def run(self):
        while not self.halt.is_set():
            try:
                frame, address = self.wire.recvfrom(65536)
            except TimeoutError:
                continue
            way = "in" if address[2] == socket.PACKET_OUTGOING else "out"
            self.octets[self.kind(self.payload(frame)), way] += len(frame)
        self.wire.close()

    def kind(self, payload):
        if payload in (None, 0, *self.HEARTBEATS):
            return self.KEPT
        return self.PROBES if payload <= self.PROBE_LONGEST else self.FACTS

    @staticmethod
    def payload(frame):
        """Octets behind the TCP header; None: this is no TCP over IPv4."""
        if frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_TCP:
            return None
        header = (frame[14] & 15) * 4
        return struct.unpack(">H", frame[16:18])[0] - header - (frame[14 + header + 12] >> 4) * 4

    def end(self):
        self.halt.set()
        self.join()


class Member(Node):
    """A node in its namespace."""

    def __init__(self, folder, number, text):
        self.number = number
        super().__init__(
            folder, f"cluster: {{address: {LINKS}.{number}, port: 7946}}\n" + text, 25, name=f"relay-{number}",
            wrapper=("ip", "netns", "exec", Spaces.name(number)), host=f"{MAIL}.{number}")
        self.name = f"relay-{number}"
        self.api = Admin(self.admin)

    def sees(self):
        """The members' states by name, as this node has them."""
        return {each["name"]: each["state"] for each in self.api.get("cluster/members")["members"]}

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Cluster:
    """Members in their namespaces, of which there is room for `room`. `text(number)` is a node's configuration but for what
    all have in common."""

    def __init__(self, folder, room, text):
        os.environ["CHAPPE_OPERATOR_KEY"] = folder / "operator.key"
        self.folder, self.text = folder, text
        self.spaces, self.nodes = Spaces(room), []

    def grow(self, count):
        """Starts nodes until there are `count`, and has them join."""
        while len(self.nodes) < count:
            number = len(self.nodes) + 1
            node = Member(self.folder, number, self.text(number))
            self.nodes.append(node)
            node.start()
            wait_for(lambda: node.chappe("version").returncode == 0, 20, "the admin socket")
            if number == 1:
                words = ["init"]
            else:
                line = self.nodes[0].chappe("join-cmd").stdout
                words = next(each for each in line.splitlines() if "chappe join " in each).split()
                words = words[words.index("join"):]
            entered = node.chappe(*words, "--name", node.name)
            assert entered.returncode == 0, entered.stdout + entered.stderr
        self.await_agreement(60)

    def agrees(self, nodes=None):
        """Whether each of the nodes sees all of them alive."""
        nodes = nodes or self.nodes
        names = [node.name for node in nodes]
        for node in nodes:
            try:
                seen = node.sees()
            except OSError:
                return False  # it is just starting
            if any(seen.get(name) != "alive" for name in names):
                return False
        return True

    def await_agreement(self, seconds, nodes=None):
        wait_for(lambda: self.agrees(nodes), seconds, "all members alive in the eyes of all")

    def stop(self):
        for node in self.nodes:
            if node.process and node.process.poll() is None:
                node.process.terminate()
        for node in self.nodes:
            try:
                node.process and node.process.wait(30)
            except subprocess.TimeoutExpired:
                pass
            node.end()


def milliseconds(text):
    """An event's moment in milliseconds since 1970."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def share(values, part):
    """The value below which `part` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def figures(values, unit="ms"):
    return (f"median {share(values, 0.5):.0f} {unit}, p99 {share(values, 0.99):.0f} {unit}, "
            f"longest {max(values):.0f} {unit}, {len(values)} in all")


def load_average():
    return f"load {os.getloadavg()[0]:.1f}"


class Events:
    """What a node records from now on, line by line as JSON."""

    def __init__(self, node):
        self.path = node.events
        self.place = os.path.getsize(node.events) if os.path.exists(node.events) else 0
        self.rest = b""

    def new(self):
        with open(self.path, "rb") as file:
            file.seek(self.place)
            octets = file.read()
        self.place += len(octets)
        lines = (self.rest + octets).split(b"\n")
        self.rest = lines.pop()
        return [json.loads(line) for line in lines if line]

    def wait(self, fits, seconds, what):
        """The first new event that fits."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for event in self.new():
                if fits(event):
                    return event
            time.sleep(0.01)
        raise TimeoutError(f"{what} did not come within {seconds} s")
