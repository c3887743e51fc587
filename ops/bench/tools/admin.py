"""The admin socket over one connection that stays: for those who ask every few milliseconds."""

import json
import socket


class Admin:
    def __init__(self, path, patience=20):
        self.path, self.patience, self.peer, self.received = path, patience, None, b""

    def ask(self, resource):
        """Sends the question; `answer` waits for what is said."""
        if self.peer is None:
            self.peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.peer.settimeout(self.patience)
            self.peer.connect(self.path)
            self.received = b""
        self.peer.sendall(f"GET /v1/{resource} HTTP/1.1\r\nHost: node\r\n\r\n".encode())

    def answer(self):
        while b"\r\n\r\n" not in self.received:
            self.more()
        head, _, rest = self.received.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        length = int(fields["content-length"])
        while len(rest) < length:
            self.received = b""
            rest += self.more()
        self.received = rest[length:]
        body = rest[:length]
        if fields.get("connection", "").lower() == "close":
            self.close()
        if lines[0].split()[1] != "200":
            raise OSError(f"{lines[0]}: {body.decode(errors='replace')}")
        return json.loads(body)

    def more(self):
        octets = self.peer.recv(1 << 20)
        if not octets:
            raise ConnectionError("the node hung up")
        self.received += octets
        return octets

    def get(self, resource):
        """The answer; a connection that the node has given up meanwhile is made anew."""
        for attempt in (1, 2):
            try:
                self.ask(resource)
                return self.answer()
            except (ConnectionError, FileNotFoundError, BrokenPipeError):
                self.close()
                if attempt == 2:
                    raise

    def close(self):
        if self.peer:
            self.peer.close()
        self.peer = None


def ask(path, resource, patience=10):
    """One question by a connection of its own; None where nobody answers, or not with 200."""
    admin = Admin(path, patience)
    try:
        return admin.get(resource)
    except (OSError, ValueError):
        return None
    finally:
        admin.close()
