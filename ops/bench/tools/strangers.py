#!/usr/bin/env python3
"""Strangers who ask to relay and are refused, each from an address of his own: real input that makes facts.

strangers.py RATE FILE FIRST-NETWORK HOST:PORT...

RATE sessions a second in all, in turns to each target. A line of FILE for each refusal: `time target address`. Addresses come
from the /24s after FIRST-NETWORK (such as 10.128.0.0), one from each before any of them has a second one.
"""

import errno
import ipaddress
import selectors
import socket
import sys
import time

NETWORKS = 30_000
# Sessions open at a time; beyond it a stranger stays away, as it must show in the rate.
OPEN_MOST = 1_000


class Stranger:
    def __init__(self, crowd, target, source):
        self.crowd, self.target, self.source = crowd, target, source
        self.received, self.step = b"", 0
        self.begun = time.monotonic()
        self.peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.peer.setblocking(False)
        self.peer.bind((source, 0))
        code = self.peer.connect_ex(target)
        if code not in (0, errno.EINPROGRESS):
            self.peer.close()
            raise OSError(code, "connect")
        crowd.selector.register(self.peer, selectors.EVENT_READ, self)

    def ready(self):
        """Whether there is more to come."""
        octets = self.peer.recv(4096)
        if not octets:
            return False
        self.received += octets
        lines = self.received.split(b"\r\n")
        last = lines[-2] if len(lines) > 1 and not lines[-1] else b""
        if self.step == 0 and last[:4] == b"220 ":
            self.say(b"EHLO stranger.example\r\n")
        elif self.step == 1 and last[:4] == b"250 ":
            self.say(b"MAIL FROM:<a@stranger.example>\r\nRCPT TO:<b@elsewhere.example>\r\nQUIT\r\n")
        elif self.step == 2 and b"\r\n221" in self.received:
            if b"550 5.7.1" in self.received:
                self.crowd.refused(self)
            return False
        return True

    def say(self, octets):
        self.step += 1
        self.received = b""
        self.peer.sendall(octets)

    def end(self):
        self.crowd.selector.unregister(self.peer)
        self.peer.close()


class Crowd:
    def __init__(self, rate, path, first, targets):
        self.rate, self.targets = rate, targets
        self.first = int(ipaddress.ip_address(first))
        self.file = open(path, "w", buffering=1 << 16)
        self.selector = selectors.DefaultSelector()
        self.open = {}

    def refused(self, stranger):
        self.file.write(f"{time.time():.3f} {stranger.target[0]} {stranger.source}\n")

    def source(self, count):
        host, network = divmod(count, NETWORKS)
        return str(ipaddress.ip_address(self.first + (network << 8) + 1 + host % 254))

    def run(self):
        begun, count, flushed = time.monotonic(), 0, 0
        while True:
            now = time.monotonic()
            while begun + count / self.rate <= now:
                count += 1
                if len(self.open) < OPEN_MOST:
                    try:
                        stranger = Stranger(self, self.targets[count % len(self.targets)], self.source(count))
                        self.open[stranger.peer.fileno()] = stranger
                    except OSError:
                        pass
            for key, _ in self.selector.select(max(0.001, begun + count / self.rate - now)):
                stranger = key.data
                try:
                    is_open = stranger.ready()
                except OSError:
                    is_open = False
                if not is_open:
                    self.forget(stranger)
            if now - flushed > 0.5:
                flushed = now
                self.file.flush()
                for stranger in [each for each in self.open.values() if now - each.begun > 15]:
                    self.forget(stranger)

    def forget(self, stranger):
        del self.open[stranger.peer.fileno()]
        stranger.end()


if __name__ == "__main__":
    targets = [(host, int(port)) for host, port in (each.rsplit(":", 1) for each in sys.argv[4:])]
    try:
        Crowd(float(sys.argv[1]), sys.argv[2], sys.argv[3], targets).run()
    except KeyboardInterrupt:
        pass
