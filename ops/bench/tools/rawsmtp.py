"""Both ends of SMTP as octets: a client that says what it is told, and a sink that believes nothing.

The sink takes only CRLF for the end of a line and only CRLF.CRLF for the end of a message, keeps every octet that came,
and writes down each CR or LF that stood alone.
"""
import re, socket, ssl, threading, time


class Reply(str):
    @property
    def code(self):
        return int(self[:3])


class HungUp(Exception):
    pass


class Client:
    def __init__(self, port, host="127.0.0.1", timeout=30, tls=None, source=None, greeting=True):
        self.socket = socket.create_connection((host, port), timeout, source_address=source)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        if tls:
            self.start_tls(tls)
        self.greeting = self.reply() if greeting else None

    def start_tls(self, context, name="relay.demo.example"):
        self.socket = context.wrap_socket(self.socket, server_hostname=name)

    def send(self, octets):
        self.socket.sendall(octets)

    def line(self):
        while b"\n" not in self.buffer:
            try:
                got = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLError) as error:
                raise HungUp(str(error))
            if not got:
                raise HungUp("closed")
            self.buffer += got
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def reply(self):
        lines = []
        while True:
            line = self.line()
            lines.append(line)
            if line[3:4] != "-":
                return Reply("\n".join(lines))

    def command(self, text):
        self.send((text if isinstance(text, bytes) else text.encode()) + b"\r\n")
        return self.reply()

    def hello(self, name="client.example", word="EHLO"):
        self.offers = self.command(f"{word} {name}")
        return self.offers

    def is_silent(self, seconds=0.2):
        """Whether nothing more comes: a reply too many would be one."""
        if self.buffer:
            return False
        self.socket.settimeout(seconds)
        try:
            got = self.socket.recv(4096)
            self.buffer += got
            return False
        except (TimeoutError, ssl.SSLWantReadError):
            return True
        except OSError:
            return True
        finally:
            self.socket.settimeout(30)

    def hangs_up(self, seconds=5):
        """Whether the other side closes; what it still says is thrown away."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65536):
                pass
            return True
        except TimeoutError:
            return False
        except OSError:
            return True

    def close(self):
        self.socket.close()


class Message:
    def __init__(self, mail, recipients, content, by):
        self.mail, self.recipients, self.content, self.by = mail, recipients, content, by
        self.at = time.monotonic()

    def field(self, name):
        """Value of a header field, unfolded; None if there is none."""
        head = self.content.split(b"\r\n\r\n", 1)[0]
        found = re.search(rb"(?im)^" + name.encode() + rb":[ \t]*((?:.*(?:\r\n[ \t].*)*))", head)
        return found and re.sub(r"\r\n[ \t]+", " ", found.group(1).decode("utf-8", "replace")).strip()

    @property
    def body(self):
        return self.content.split(b"\r\n\r\n", 1)[1] if b"\r\n\r\n" in self.content else b""


class Sink:
    """Takes all mail on 127.0.0.1:`port`. `refuse` may answer a recipient with a reply of its own."""

    def __init__(self, port, offers=("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 104857600", "DSN",
                                     "ENHANCEDSTATUSCODES", "CHUNKING"), host="127.0.0.1", keep=True, refuse=None):
        self.offers, self.keep, self.refuse = offers, keep, refuse
        self.messages, self.faults, self.count, self.connections = [], [], 0, 0
        self.lock = threading.Lock()
        self.listener = socket.create_server((host, port), backlog=512)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=Talk(self, peer).run, daemon=True).start()

    def close(self):
        self.listener.close()

    def fault(self, text, octets):
        with self.lock:
            self.faults.append(f"{text}: {octets[-60:]!r}")

    def took(self, message):
        with self.lock:
            self.count += 1
            if self.keep:
                self.messages.append(message)

    def by_field(self, name):
        """Messages by the value of a field that each of them bears."""
        found = {}
        with self.lock:
            for message in self.messages:
                found.setdefault(message.field(name), []).append(message)
        return found


# A CR without LF behind it, or an LF without CR before it.
LONE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


class Talk:
    def __init__(self, sink, peer):
        self.sink, self.peer, self.buffer = sink, peer, b""
        peer.settimeout(300)

    def more(self):
        got = self.peer.recv(1 << 18)
        if not got:
            raise HungUp()
        self.buffer += got

    def take(self, count):
        parts, have = [self.buffer[:count]], min(count, len(self.buffer))
        self.buffer = self.buffer[count:]
        while have < count:
            got = self.peer.recv(min(1 << 18, count - have))
            if not got:
                raise HungUp()
            parts.append(got)
            have += len(got)
        return b"".join(parts)

    def until(self, end, start=0):
        while True:
            at = self.buffer.find(end, start)
            if at >= 0:
                found, self.buffer = self.buffer[:at + len(end)], self.buffer[at + len(end):]
                return found
            start = max(start, len(self.buffer) - len(end) + 1)
            self.more()

    def say(self, text):
        self.peer.sendall(text.encode() + b"\r\n")

    def run(self):
        try:
            self.say("220 sink.example ESMTP")
            while self.command():
                pass
        except (HungUp, OSError):
            pass
        finally:
            self.peer.close()

    mail, recipients, chunks = "", [], None

    def command(self):
        line = self.until(b"\r\n")[:-2]
        if LONE.search(line):
            self.sink.fault("lone CR or LF in a command", line)
        text = line.decode("utf-8", "replace")
        word = text[:4].upper()
        if word == "EHLO":
            lines = ["sink.example"] + list(self.sink.offers)
            for offer in lines[:-1]:
                self.say("250-" + offer)
            self.say("250 " + lines[-1])
        elif word == "MAIL":
            self.mail, self.recipients, self.chunks = text[10:], [], None
            self.say("250 2.1.0 ok")
        elif word == "RCPT":
            refusal = self.sink.refuse and self.sink.refuse(text[8:])
            if not refusal:
                self.recipients.append(text[8:])
            self.say(refusal or "250 2.1.5 ok")
        elif word == "DATA":
            if not self.recipients:
                self.say("554 5.5.1 no recipients")
                return True
            self.say("354 go on")
            self.data()
        elif word == "BDAT":
            self.chunk(text.split())
        elif word == "QUIT":
            self.say("221 2.0.0 bye")
            return False
        elif word in ("RSET", "NOOP", "HELO"):
            self.chunks = None
            self.say("250 2.0.0 ok")
        else:
            self.sink.fault("unknown command", line)
            self.say("500 5.5.1 what?")
        return True

    def data(self):
        self.buffer = b"\r\n" + self.buffer    # so that a message of nothing but the dot is found
        octets = self.until(b"\r\n.\r\n")[:-3]
        if LONE.search(octets):
            self.sink.fault("lone CR or LF in DATA", LONE.split(octets)[0])
        self.took(octets.replace(b"\r\n.", b"\r\n")[2:], "DATA")

    def chunk(self, words):
        octets = self.take(int(words[1]))
        self.chunks = (self.chunks or []) + [octets]
        if len(words) < 3:
            return self.say("250 2.0.0 chunk taken")
        octets = b"".join(self.chunks)
        self.chunks = None
        if LONE.search(octets):
            self.sink.fault("lone CR or LF in BDAT", LONE.split(octets)[0])
        self.took(octets, "BDAT")

    def took(self, octets, by):
        self.sink.took(Message(self.mail, self.recipients, octets, by))
        self.say("250 2.0.0 taken")
