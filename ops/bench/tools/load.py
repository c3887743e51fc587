"""A client with many sessions that remembers what was promised to it.

Every message bears an id of its own (X-Bench-Id) and a checksum over its body (X-Bench-Sum), by which `sink.py` tells
whether it arrived, how often, and whether whole.
"""

import errno
import os
import selectors
import socket
import threading
import time
import zlib

LINE = b"The quick brown fox jumps over the lazy dog, and the telegraph tells of it.\r\n"


def message(identity, octets, domain):
    """Header and body of about `octets`; the body is different in each message."""
    body = (identity.encode() + b" ") * 2 + b"\r\n"
    body += LINE * max(1, (octets - 300) // len(LINE))
    head = (
        f"From: <bench@client.example>\r\nTo: <rcpt@{domain}>\r\nSubject: {identity}\r\n"
        f"X-Bench-Id: {identity}\r\nX-Bench-Sum: {zlib.crc32(body):08x}\r\n\r\n")
    return head.encode() + body


class Load(threading.Thread):
    """Sends messages until `goal` are acknowledged, or `halt` is set. Goes on by itself when the node comes back.

    acknowledged: ids whose 250 arrived, with the moment. doubtful: ids whose content was sent whole and never answered:
    the node may have them or not. refused: replies to them, by code. A refused message is not sent again.
    ids: what the node called the acknowledged ones. `rate`: at most so many begun a second, by all sessions.
    """

    def __init__(self, port, goal, sessions=50, octets=4096, prefix="m", domains=("rcpt.example",), pause=0.0,
                 pauses_when_refused=0.05, rate=None, host="127.0.0.1"):
        super().__init__(daemon=True)
        self.host = host
        self.port = port
        self.goal = goal
        self.sessions = sessions
        self.octets = octets
        self.prefix = prefix
        self.domains = domains
        self.pause = pause
        self.pauses_when_refused = pauses_when_refused
        self.limit = rate
        self.next_turn = 0.0
        self.acknowledged = {}
        self.ids = {}
        self.doubtful = set()
        self.refused = {}
        self.sample = {}
        self.gaps = []
        self.halt = threading.Event()
        self.is_ending = False
        self.under_way = 0
        self.next_number = 0
        self.cut = 0
        self.failure = None

    def run(self):
        try:
            self.work()
        except Exception as error:  # whoever waits for us must hear of it
            import traceback
            self.failure = traceback.format_exc()
            raise error

    def work(self):
        self.selector = selectors.DefaultSelector()
        sessions = [Session(self, number) for number in range(self.sessions)]
        self.begun = self.next_turn = time.monotonic()
        while not self.halt.is_set() and len(self.acknowledged) < self.goal and (self.under_way or not self.is_ending):
            now = time.monotonic()
            for session in sessions:
                if session.wake is not None and session.wake <= now:
                    session.wake = None
                    session.proceed()
            for key, mask in self.selector.select(0.02):
                key.data.ready(mask)
        self.ended = time.monotonic()
        for session in sessions:
            session.end()
        self.selector.close()

    def new_identity(self):
        self.next_number += 1
        return f"{self.prefix}{self.next_number:08d}", self.domains[self.next_number % len(self.domains)]

    def may_begin(self):
        return not self.halt.is_set() and not self.is_ending and len(self.acknowledged) + self.under_way < self.goal

    def finish(self):
        """Begins nothing more, and ends when all that is under way was answered."""
        self.is_ending = True
        self.join()

    def turn(self):
        """When the next message may begin. What a slow node delayed is made up for, up to a second's worth."""
        self.next_turn = max(self.next_turn + 1 / self.limit, time.monotonic() - 1)
        return self.next_turn

    @property
    def rate(self):
        return len(self.acknowledged) / max(1e-9, self.ended - self.begun)


class Session:
    """One connection after another, each a row of transactions."""

    def __init__(self, load, number):
        self.load = load
        self.number = number
        self.has_begun = False
        self.peer = None
        self.wake = 0.0
        self.identity = None
        self.reset()

    def reset(self):
        self.state = "closed"
        self.received = b""
        self.unsent = b""
        self.awaited = 0

    # What the selector tells

    def ready(self, mask):
        try:
            if self.state == "connecting":
                error = self.peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    raise OSError(error, os.strerror(error))
                self.state = "greeting"
                self.load.selector.modify(self.peer, selectors.EVENT_READ, self)
                return
            if mask & selectors.EVENT_WRITE:
                self.flush()
            if mask & selectors.EVENT_READ:
                octets = self.peer.recv(65536)
                if not octets:
                    raise OSError(errno.ECONNRESET, "closed")
                self.received += octets
                self.read_replies()
        except OSError:
            self.broken()

    def broken(self):
        if self.state == "content":
            self.load.doubtful.add(self.identity)
        if self.state not in ("closed", "connecting"):
            self.load.cut += 1
        self.end()
        self.wake = time.monotonic() + 0.02

    def end(self):
        if self.state == "content" and self.identity not in self.load.acknowledged:
            self.load.doubtful.add(self.identity)
        self.over()
        if self.peer is not None:
            try:
                self.load.selector.unregister(self.peer)
            except (KeyError, ValueError):
                pass
            self.peer.close()
            self.peer = None
        self.reset()

    def over(self):
        """The message in hand was answered, or never will be."""
        self.load.under_way -= self.has_begun
        self.has_begun = False

    # The talk

    def proceed(self):
        if self.state == "closed":
            self.connect()
        elif self.state == "idle":
            self.begin()

    def connect(self):
        self.peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.peer.setblocking(False)
        self.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.state = "connecting"
        try:
            self.peer.connect((self.load.host, self.load.port))
        except BlockingIOError:
            pass
        except OSError:
            return self.broken()
        self.load.selector.register(self.peer, selectors.EVENT_WRITE, self)

    def send(self, octets):
        self.unsent += octets
        self.flush()

    def flush(self):
        if self.unsent:
            try:
                sent = self.peer.send(self.unsent)
                self.unsent = self.unsent[sent:]
            except BlockingIOError:
                pass
        mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.unsent else 0)
        if self.load.selector.get_key(self.peer).events != mask:
            self.load.selector.modify(self.peer, mask, self)

    def read_replies(self):
        while self.peer is not None and b"\n" in self.received:
            line, self.received = self.received.split(b"\n", 1)
            if line[3:4] != b"-":
                self.reply(int(line[:3]), line)

    def begin(self):
        if not self.load.may_begin():
            return
        self.has_begun = True
        self.load.under_way += 1
        self.identity, domain = self.load.new_identity()
        self.content = message(self.identity, self.load.octets, domain) + b".\r\n"
        self.state = "envelope"
        self.awaited = 3
        self.failure = None
        self.send(f"MAIL FROM:<bench@client.example>\r\nRCPT TO:<rcpt@{domain}>\r\nDATA\r\n".encode())

    def reply(self, code, line):
        if self.state == "greeting":
            self.state = "hello"
            self.send(b"EHLO client.example\r\n")
        elif self.state == "hello":
            self.after(0)
        elif self.state == "envelope":
            self.awaited -= 1
            if code >= 400 and self.failure is None:
                self.failure = (code, line)
            if self.awaited == 0:
                if code == 354 and self.failure is None:
                    self.state = "content"
                    self.send(self.content)
                elif code == 354:
                    self.state = "emptied"
                    self.send(b".\r\n")
                else:
                    self.refuse(*self.failure)
        elif self.state == "emptied":
            self.refuse(*self.failure)
        elif self.state == "content":
            if code == 250:
                now = time.monotonic()
                self.load.acknowledged[self.identity] = now
                self.load.ids[self.identity] = line.rpartition(b" ")[2].strip().decode()
                self.over()
                self.after(self.load.pause)
            else:
                self.refuse(code, line)

    def refuse(self, code, line):
        self.load.refused[code] = self.load.refused.get(code, 0) + 1
        self.load.sample.setdefault(code, line.decode(errors="replace").strip())
        if code == 421:
            self.state = "closed"
            return self.broken()
        self.over()
        self.after(self.load.pauses_when_refused)

    def after(self, pause):
        self.state = "idle"
        if self.load.limit:
            self.wake = max(time.monotonic() + pause, self.load.turn())
        elif pause > 0:
            self.wake = time.monotonic() + pause
        else:
            self.begin()
