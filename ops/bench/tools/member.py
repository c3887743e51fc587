"""A member of a cluster, written from the protocol alone: CURVE by pyzmq, the envelope by Debian's protobuf, Ed25519 by cryptography.

It is what an attacker has who took a node over: the node's keys, and a mind of its own. Honest programs are never imported.
"""
import base64, hashlib, os, secrets, struct, subprocess, sys, threading, time

import zmq
import zmq.utils.z85 as z85
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
JOINING, ALIVE, DRAINING, PARKED, SUSPECT, DEAD, LEFT = range(7)
# Kinds of facts, as the modules that own them number them.
FLOOR, ORDER, LOAD, ADMISSION, MEMBER, REPUTATION, BLOCK, VERDICT = 0, 8, 9, 10, 11, 16, 17, 32
EVICTION, DRAIN, LEAVE, BLOCK_ORDER, VERDICT_ORDER, REVOCATION = 1, 2, 3, 16, 17, 18

envelope = admission = facts = words = None


def generate(folder):
    """Makes Python of Sources/Membership/Proto, in a folder of the trial's own."""
    global envelope, admission, facts, words
    source = f"{TREE}/Sources/Membership/Proto"
    names = sorted(name for name in os.listdir(source) if name.endswith(".proto"))
    subprocess.run(["protoc", f"--proto_path={source}", f"--python_out={folder}"] + names, check=True)
    sys.path.insert(0, str(folder))
    import admission_pb2, envelope_pb2, facts_pb2, words_pb2
    envelope, admission, facts, words = envelope_pb2, admission_pb2, facts_pb2, words_pb2


# MARK: Keys


def raw_public(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_file(path):
    """The 32 octets of a key file: a comment, then purpose, algorithm and base64."""
    with open(path) as file:
        line = next(line for line in file if not line.startswith("#"))
    return base64.b64decode(line.split()[2])


class Identity:
    """Ed25519, by its seed."""

    def __init__(self, seed=None):
        self.key = Ed25519PrivateKey.from_private_bytes(seed or secrets.token_bytes(32))
        self.node = raw_public(self.key)

    def sign(self, octets):
        return self.key.sign(octets)


class LinkPair:
    """CURVE, as libzmq has it: octets outside, Z85 inside."""

    def __init__(self, secret=None):
        if secret:
            self.secret = z85.encode(secret)
            self.public = zmq.curve_public(self.secret)
        else:
            self.public, self.secret = zmq.curve_keypair()
        self.octets = z85.decode(self.public)


# MARK: What is signed


def signed_text(purpose, *parts):
    text = purpose.encode() + b"\0"
    for part in parts:
        text += struct.pack(">Q", part) if isinstance(part, int) else struct.pack(">Q", len(part)) + part
    return text


def token_of(text):
    octets = text.split("chappe1.", 1)[1]
    message = admission.Token()
    message.ParseFromString(base64.urlsafe_b64decode(octets + "=" * (-len(octets) % 4)))
    return message


def text_of(token):
    return "chappe1." + base64.urlsafe_b64encode(token.SerializeToString()).decode().rstrip("=")


def contact_octets(contact):
    return struct.pack(">HH", contact.control_port, contact.bulk_port) + contact.address


def certificate(identity, link_key, serial, cluster):
    made = admission.LinkCertificate(node=identity.node, link_key=link_key, serial=serial)
    made.signature = identity.sign(signed_text("chappe link key 1", cluster, identity.node, link_key, serial))
    return made


def request(token, name, identity, pair, control_port, serial=1, address=b"\x7f\0\0\1"):
    """What a node says that wants to join."""
    made = admission.Admission(permit=token.permit, name=name)
    made.link.CopyFrom(certificate(identity, pair.octets, serial, token.permit.cluster))
    made.contact.CopyFrom(admission.Contact(address=address, control_port=control_port, bulk_port=control_port + 1))
    signed = signed_text("chappe admission 1", token.permit.signature, name.encode(), identity.node, pair.octets, serial,
                         contact_octets(made.contact))
    made.token_signature = Identity(token.seed).sign(signed)
    made.node_signature = identity.sign(signed)
    return made


def order_value(kind, subject, number, cluster, key, by="mallory", reason="because", payload=b"", lifted=False, expires=0,
                signature=None):
    """The value of a fact of kind ORDER, signed with `key`, which may be anybody's; the fact's subject."""
    fields = (number_field(1, number) + number_field(2, int(lifted)) + bytes_field(3, by.encode())
              + bytes_field(4, reason.encode()) + bytes_field(5, payload) + number_field(6, expires))
    signature = signature or key.sign(signed_text("chappe order 1", cluster, kind, subject, fields))
    value = fields + bytes_field(7, signature) + number_field(8, kind) + bytes_field(9, subject)
    return value, struct.pack(">H", kind) + subject


# MARK: Values of facts


def varint(value):
    octets = bytearray()
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def number_field(field, value):
    return varint(field << 3) + varint(value) if value else b""


def bytes_field(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value if value else b""


def float_field(field, value):
    return varint(field << 3 | 5) + struct.pack("<f", value) if value else b""


def network_subject(text):
    """BlockSubject and ReputationSubject write networks alike."""
    address, _, length = text.partition("/")
    return bytes([4, int(length or 32)]) + bytes(map(int, address.split(".")))


def block_value(evidence=("session 1 at mx",), since=None):
    return b"".join(bytes_field(1, each.encode()) for each in evidence) + number_field(2, since or now_ms())


def verdict_value(seen=1_000_000, band=15, first=None, last=None, certain=True):
    return (number_field(1, seen) + number_field(2, seen) + number_field(3, seen) + number_field(4, band)
            + number_field(5, first or now_ms()) + number_field(6, last or now_ms()) + number_field(7, int(certain)))


def reputation_value(good=0.0, spam=0.0, virus=0.0, trap=0.0):
    return float_field(1, good) + float_field(2, spam) + float_field(3, virus) + float_field(4, trap)


def fingerprint(text):
    """That of a body: its letters, small, and octets above ASCII."""
    return b"\1" + hashlib.sha256(bytes(each for each in text.lower().encode() if each >= 0x80 or chr(each).isalpha())).digest()


def now_ms():
    return int(time.time() * 1000)


# MARK: Batches


def leaf_octets(statement):
    counter, kind, subject, value, lifetime, stamp = statement
    return (struct.pack(">QQQqBQ", counter, kind, 2**64 - 1 if lifetime is None else lifetime, stamp, value is not None,
                        len(subject)) + subject + (value or b""))


def tree(leaves):
    """The root, and each leaf's way to it."""
    paths, level, depth = [b""] * len(leaves), leaves, 0
    while len(level) > 1:
        for place in range(len(leaves)):
            neighbour = (place >> depth) ^ 1
            if neighbour < len(level):
                paths[place] += level[neighbour]
        level = [hashlib.sha256(b"\1" + level[i] + level[i + 1]).digest() if i + 1 < len(level) else level[i]
                 for i in range(0, len(level), 2)]
        depth += 1
    return level[0], paths


class Origin:
    """Says facts in a node's name: numbers them, signs them, and remembers them for who asks."""

    def __init__(self, identity, cluster, incarnation):
        self.identity, self.cluster, self.incarnation, self.counter = identity, cluster, incarnation, 0

    def batch(self, statements, signer=None, **bent):
        """`statements` are (kind, subject, value, lifetime in ms or None[, stamp]): a batch and its facts, as messages."""
        records = []
        for statement in statements:
            self.counter += 1
            stamp = statement[4] if len(statement) > 4 else now_ms()
            records.append((self.counter, *statement[:4], stamp))
        root, paths = tree([hashlib.sha256(b"\0" + leaf_octets(each)).digest() for each in records])
        made = facts.FactBatch(origin=self.identity.node, incarnation=self.incarnation, last=self.counter,
                               count=len(records), root=root)
        made.signature = (signer or self.identity).sign(
            signed_text("chappe facts 1", self.cluster, made.origin, made.incarnation, made.last, made.count, made.root))
        for name, value in bent.items():
            setattr(made, name, value)
        told = []
        for (counter, kind, subject, value, lifetime, stamp), path in zip(records, paths):
            fact = facts.Fact(kind=kind, subject=subject, counter=counter, stamp=stamp, path=path)
            if value is not None:
                fact.value = value
            if lifetime is not None:
                fact.lifetime = lifetime
            told.append(fact)
        return made, told

    def push(self, statements, signer=None, **bent):
        """The message that pushes them."""
        batch, told = self.batch(statements, signer, **bent)
        message = facts.Gossip(batches=[batch])
        message.push.facts.extend(told)
        return message


def verifies(batch, cluster):
    try:
        Ed25519PublicKey.from_public_bytes(batch.origin).verify(
            batch.signature, signed_text("chappe facts 1", cluster, batch.origin, batch.incarnation, batch.last, batch.count,
                                         batch.root))
        return True
    except InvalidSignature:
        return False


# MARK: The wire


def header(start, stamp=None):
    return struct.pack(">BxxxIQ", 1, start, int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000) if stamp is None else stamp)


class Peer:
    """How a member is reached, by what a node's `chappe` says of it."""

    def __init__(self, node, address, control_port, link_key, name=""):
        self.node, self.address, self.control_port, self.link_key, self.name = node, address, control_port, link_key, name


class Caller:
    """One CURVE connection, under any key."""

    def __init__(self, context, address, port, server_key, pair):
        self.socket = context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.sndhwm = 64
        self.socket.curve_serverkey = z85.encode(server_key)
        self.socket.curve_publickey, self.socket.curve_secretkey = pair.public, pair.secret
        self.monitor = self.socket.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
            | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_DISCONNECTED)
        self.socket.connect(f"tcp://{address}:{port}")

    def outcome(self, seconds=3):
        """`in`, `refused`, or `nothing` within the time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.monitor.poll(100):
                kind = struct.unpack("=hi", self.monitor.recv_multipart()[0])[0]
                return "in" if kind == zmq.EVENT_HANDSHAKE_SUCCEEDED else "refused"
        return "nothing"

    def say(self, octets, wait=True):
        try:
            self.socket.send(octets, 0 if wait else zmq.DONTWAIT)
            return True
        except zmq.Again:
            return False

    def close(self, linger=0):
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(linger)


def knock(context, address, port, server_key, pair, octets, seconds=5):
    """One request at a door; the answer, or None."""
    caller = Caller(context, address, port, server_key, pair)
    try:
        caller.say(octets)
        return caller.socket.recv() if caller.socket.poll(seconds * 1000) else None
    finally:
        caller.close()


class Member:
    """Takes a node's place with its keys: answers probes as a member does, and says what it is told to."""

    def __init__(self, cluster, identity, pair, peers, incarnation, port=None, address="127.0.0.1"):
        self.cluster, self.identity, self.pair, self.peers = cluster, identity, pair, peers
        self.incarnation, self.refutation, self.state = incarnation, 0, ALIVE
        self.nonce = int.from_bytes(secrets.token_bytes(8), "big") | 1
        self.start = int.from_bytes(secrets.token_bytes(4), "big")
        self.origin = Origin(identity, cluster, incarnation)
        self.number, self.heard, self.on = 0, [], None
        self.is_quiet = False  # says nothing by itself
        self.context, self.lock, self.halt = zmq.Context(), threading.RLock(), threading.Event()
        self.ears = []
        if port:
            for each in (port, port + 1):
                ear = self.context.socket(zmq.ROUTER)
                ear.linger, ear.curve_server, ear.curve_secretkey, ear.curve_publickey = 0, 1, pair.secret, pair.public
                ear.bind(f"tcp://{address}:{each}")
                self.ears.append(ear)
        self.links = {peer.node: Caller(self.context, peer.address, peer.control_port, peer.link_key, pair) for peer in peers}
        self.bulk = {}
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    # Saying

    def frame(self, **body):
        """An envelope; what stands for a field of the envelope replaces the honest one."""
        made = envelope.Envelope(version=1, cluster=self.cluster, sender=self.identity.node, incarnation=self.incarnation,
                                 nonce=self.nonce, refutation=self.refutation, state=self.state)
        for name, value in body.items():
            if isinstance(value, (int, bytes)):
                setattr(made, name, value)
            else:
                getattr(made, name).CopyFrom(value)
        return made.SerializeToString()

    def say(self, octets, to=None, bare=False, stamp=None):
        """To one peer or to all."""
        with self.lock:
            for peer in self.peers:
                if to is None or peer.node == to.node:
                    self.links[peer.node].say(octets if bare else header(self.start, stamp) + octets, wait=False)

    def claims(self, *claims, to=None):
        self.say(self.frame(rumours=envelope.Claims(claims=claims)), to)

    def tell(self, statements, to=None, **bent):
        """Facts of its own, pushed."""
        self.say(self.frame(facts=self.origin.push(statements, **bent)), to)

    def say_bulk(self, octets, to):
        with self.lock:
            if to.node not in self.bulk:
                self.bulk[to.node] = Caller(self.context, to.address, to.control_port + 1, to.link_key, self.pair)
            self.bulk[to.node].say(header(self.start) + octets, wait=False)

    def introduce(self, serial=1, contact=None, confirmed=()):
        """The fact by which a member says where its links are."""
        made = admission.Introduction(link=certificate(self.identity, self.pair.octets, serial, self.cluster))
        if contact:
            made.contact.CopyFrom(contact)
        value = bytes_field(1, made.SerializeToString()) + number_field(3, serial)
        return (MEMBER, b"", value, None)

    # Hearing

    def _run(self):
        last = 0
        while not self.halt.is_set():
            with self.lock:
                got = False
                for ear in self.ears:
                    for _ in range(64):
                        try:
                            parts = ear.recv_multipart(zmq.DONTWAIT)
                        except zmq.Again:
                            break
                        got = True
                        self._hear(parts[-1][16:])
                if not self.is_quiet and time.monotonic() - last > 0.5:
                    last = time.monotonic()
                    for peer in self.peers:
                        self.number += 1
                        self.say(self.frame(probe=envelope.Probe(number=self.number)), peer)
            if not got:
                time.sleep(0.002)

    def _hear(self, octets):
        made = envelope.Envelope()
        try:
            made.ParseFromString(octets)
        except Exception:
            return
        body = made.WhichOneof("body")
        if len(self.heard) < 100_000:
            self.heard.append(made)
        peer = next((peer for peer in self.peers if peer.node == made.sender), None)
        if self.on:
            self.on(made, body, peer)
        if self.is_quiet or peer is None:
            return
        if body == "probe":
            self.say(self.frame(ack=envelope.Probe(number=made.probe.number, view=made.probe.view)), peer)
        for claims in (getattr(made, body).claims if body in ("probe", "ack", "ask", "rumours", "sync") else ()):
            if claims.node == self.identity.node and claims.state in (SUSPECT, DEAD):
                self.refutation = max(self.refutation, claims.refutation + 1)

    def wait_heard(self, test, seconds=5):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with self.lock:
                for made in self.heard:
                    if test(made):
                        return made
            time.sleep(0.01)
        return None

    def close(self):
        self.halt.set()
        self.thread.join()
        for each in list(self.links.values()) + list(self.bulk.values()):
            each.close()
        for ear in self.ears:
            ear.close(0)
        self.context.term()
