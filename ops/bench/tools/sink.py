#!/usr/bin/env python3
"""A next hop that notes what arrives: one line for each message, `time id ok|garbled`, written before the 250.

sink.py PORT FILE [--delay SECONDS] [--refuse DOMAIN] [--address ADDRESS]
"""

import argparse
import selectors
import socket
import time
import zlib


class Note:
    """One arrival: the id, when its 250 was sent, and whether its octets were those of its sender."""

    __slots__ = ("identity", "at", "whole")

    def __init__(self, line):
        at, self.identity, state = line.split()
        self.at = float(at)
        self.whole = state == "ok"


def notes(path):
    try:
        with open(path) as file:
            return [Note(line) for line in file if line.endswith("\n")]
    except FileNotFoundError:
        return []


class Talk:
    def __init__(self, peer):
        self.peer = peer
        self.received = bytearray()
        self.in_content = False
        # Its one recipient was refused.
        self.is_void = False
        self.due = None

    def lines(self):
        while True:
            end = self.received.find(b"\r\n")
            if end < 0:
                return
            yield bytes(self.received[:end])
            del self.received[:end + 2]
            if self.in_content:
                return


def identity_of(content):
    head, _, body = content.partition(b"\r\n\r\n")
    fields = {}
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        fields.setdefault(name.lower(), value.strip().decode(errors="replace"))
    identity = fields.get(b"x-bench-id", "unknown")
    return identity, fields.get(b"x-bench-sum") == f"{zlib.crc32(body):08x}"


def serve(port, path, delay, refused, address):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(1024)
    listener.setblocking(False)
    file = open(path, "a", buffering=1)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ, None)
    delayed = []
    while True:
        patience = max(0, min((talk.due for talk in delayed), default=time.monotonic() + 1) - time.monotonic())
        for key, _ in selector.select(patience):
            if key.data is None:
                accept(listener, selector)
            else:
                listen(key.data, selector, file, delay, delayed, refused)
        now = time.monotonic()
        for talk in [talk for talk in delayed if talk.due <= now]:
            delayed.remove(talk)
            acknowledge(talk, file)


def accept(listener, selector):
    try:
        peer, _ = listener.accept()
    except OSError:
        return
    peer.setblocking(True)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.sendall(b"220 sink.example ESMTP\r\n")
    selector.register(peer, selectors.EVENT_READ, Talk(peer))


def listen(talk, selector, file, delay, delayed, refused):
    try:
        octets = talk.peer.recv(262144)
    except OSError:
        octets = b""
    if not octets:
        selector.unregister(talk.peer)
        talk.peer.close()
        if talk in delayed:
            delayed.remove(talk)
        return
    talk.received += octets
    try:
        read(talk, file, delay, delayed, refused)
    except OSError:
        pass


def read(talk, file, delay, delayed, refused):
    while talk.received:
        if talk.in_content:
            if talk.received.startswith(b".\r\n"):
                end, skip = 0, 3
            else:
                end = talk.received.find(b"\r\n.\r\n")
                skip = 5
            if end < 0:
                return
            talk.content = bytes(talk.received[:end + (2 if skip == 5 else 0)]).replace(b"\r\n..", b"\r\n.")
            del talk.received[:end + skip]
            talk.in_content = False
            if delay:
                talk.due = time.monotonic() + delay
                delayed.append(talk)
                return
            acknowledge(talk, file)
            continue
        end = talk.received.find(b"\r\n")
        if end < 0:
            return
        word = bytes(talk.received[:4]).upper()
        is_refused = refused and word == b"RCPT" and refused in bytes(talk.received[:end])
        del talk.received[:end + 2]
        if word in (b"EHLO", b"HELO"):
            talk.peer.sendall(b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE\r\n")
        elif is_refused:
            talk.peer.sendall(b"550 5.1.1 nobody of that name\r\n")
            talk.is_void = True
        elif word == b"MAIL":
            talk.is_void = False
            talk.peer.sendall(b"250 ok\r\n")
        elif word == b"DATA" and talk.is_void:
            talk.peer.sendall(b"554 no valid recipients\r\n")
        elif word == b"DATA":
            talk.in_content = True
            talk.peer.sendall(b"354 go on\r\n")
        elif word == b"QUIT":
            talk.peer.sendall(b"221 bye\r\n")
        else:
            talk.peer.sendall(b"250 ok\r\n")


def acknowledge(talk, file):
    identity, whole = identity_of(talk.content)
    file.write(f"{time.time():.6f} {identity} {'ok' if whole else 'garbled'}\n")
    try:
        talk.peer.sendall(b"250 taken\r\n")
    except OSError:
        pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("file")
    parser.add_argument("--delay", type=float, default=0, help="seconds before each 250")
    parser.add_argument("--refuse", default="", help="recipients with this in their path are unknown")
    parser.add_argument("--address", default="127.0.0.1", help="where to listen")
    options = parser.parse_args()
    try:
        serve(options.port, options.file, options.delay, options.refuse.encode(), options.address)
    except KeyboardInterrupt:
        pass
