"""neighbours.py NAME COUNT: one neighbour, both directions. Called by `neighbours`, inside its namespaces."""
import os, random, re, subprocess, sys, threading, time
import postfix
from nodeprocess import Folder, Node, Report, answers, certificate, wait_for
from rawsmtp import Client, HungUp, Sink

NAME, COUNT = sys.argv[1], int(sys.argv[2])
OURS, THEIRS, SINK, BARE = 2525, 2526, 2626, 2627
report = Report()

POSTFIX = """smtputf8_enable = yes
message_size_limit = 60000000
transport_maps = inline:{{ {{in.example=smtp:[127.0.0.1]:{ours}}} {{bare.example=smtp:[127.0.0.1]:{ours}}} }}
smtpd_tls_security_level = may
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtp_tls_security_level = may
"""
# Debian's OpenSMTPD cannot use its own keys with OpenSSL 3 (alert 80 to any client), so it encrypts as a client only.
OPENSMTPD = """listen on 127.0.0.1 port {theirs} hostname neighbour.example
smtp max-message-size "60M"
smtp limit max-mails 100000
smtp limit max-rcpt 100000
mta limit session-transaction-delay 0
mta limit conn-delay-host 0
mta limit conn-delay-route 0
mta limit conn-delay-source 0
mta limit conn-delay-connector 0
mta limit conn-delay-relay 0
mta limit conn-delay-domain 0
action "chappe" relay host smtp://127.0.0.1:{ours} tls no-verify
action "plain" relay host smtp://127.0.0.1:{sink}
match from any for domain "in.example" action "chappe"
match from any for domain "bare.example" action "chappe"
match from any for any action "plain"
"""


class Neighbour:
    def __init__(self, folder):
        pair = certificate(folder, "neighbour", "neighbour.example")
        self.process, self.log = None, folder / "neighbour.log"
        if NAME == "postfix":
            postfix.configure(THEIRS, f"[127.0.0.1]:{SINK}", self.log, POSTFIX.format(ours=OURS, cert=pair[0], key=pair[1]))
            postfix.start()
        else:
            os.makedirs("/var/empty", exist_ok=True)
            # OpenSMTPD's helpers lock themselves in where Debian's package makes a folder.
            os.makedirs("/var/lib/opensmtpd/empty", exist_ok=True)
            os.makedirs("/var/spool/smtpd", mode=0o711)
            os.chmod("/var/spool/smtpd", 0o711)
            with open("/etc/smtpd.conf", "w") as out:
                out.write(OPENSMTPD.format(ours=OURS, theirs=THEIRS, sink=SINK))
            self.process = subprocess.Popen(["/usr/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf"],
                                            stdout=open(self.log, "w"), stderr=subprocess.STDOUT)
        wait_for(lambda: answers(THEIRS), 30, f"{NAME}'s greeting")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(20)
        else:
            postfix.stop()


class Sent:
    """A message, and what must come of it."""

    def __init__(self, mark, kind, domain, body, parameters="", recipients=1, rcpt_parameters="", utf8=False, as_chunks=False):
        self.mark, self.kind, self.domain, self.body = mark, kind, domain, body
        sender = "отправитель" if utf8 else f"sender-{mark}"
        local = "получатель" if utf8 else "rcpt"
        self.sender, self.parameters = f"{sender}@back.example", parameters
        self.recipients = [f"{local}{n}@{domain}" for n in range(recipients)]
        self.rcpt_parameters, self.as_chunks = rcpt_parameters, as_chunks
        self.head = (f"From: {self.sender}\r\nTo: {self.recipients[0]}\r\nSubject: {kind}\r\nDate: Mon, 02 Nov 2026 12:00:00 +0000\r\n"
                     f"Message-ID: <{mark}@back.example>\r\nX-Mark: {mark}\r\nMIME-Version: 1.0\r\n"
                     f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {'8bit' if max(body, default=0) > 127 else '7bit'}\r\n\r\n").encode()

    def hand_in(self, client):
        can_chunk = "CHUNKING" in client.offers
        commands = [f"MAIL FROM:<{self.sender}>{self.parameters}"] + [f"RCPT TO:<{r}>{self.rcpt_parameters}" for r in self.recipients]
        if "PIPELINING" in client.offers:
            client.send(("\r\n".join(commands) + "\r\n").encode())
            replies = [client.reply() for _ in commands]
        else:
            replies = [client.command(command) for command in commands]
        bad = [r for r in replies if r.code != 250]
        if bad:
            client.command("RSET")
            return bad[0]
        octets = self.head + self.body
        if self.as_chunks and can_chunk:
            client.send(b"BDAT %d LAST\r\n" % len(octets) + octets)
            return client.reply()
        if client.command("DATA").code != 354:
            return "no DATA"
        if not octets.endswith(b"\r\n"):
            octets += b"\r\n"
        stuffed = (b"\r\n" + octets).replace(b"\r\n.", b"\r\n..")[2:]
        client.send(stuffed + b".\r\n")
        return client.reply()


ASCII = bytes(range(32, 127))
EIGHT = bytes(range(128, 256)) + ASCII + b"\t"


def text(random, lines, alphabet):
    return b"".join(bytes(random.choices(alphabet, k=random.choice((0, 1, 20, 76, 78, 200, 997, 998)))) + b"\r\n" for _ in range(lines))


def batch(domain, count, seed):
    """What goes one way: COUNT messages of all kinds."""
    chance = random.Random(seed)
    made, number = [], 0

    def add(kind, body, **options):
        nonlocal number
        number += 1
        made.append(Sent(f"{domain.split('.')[0]}-{number}", kind, domain, body, **options))

    big = (b"".join(bytes(chance.choices(ASCII, k=76)) + b"\r\n" for _ in range(1000)))
    for _ in range(max(1, count // 300)):
        add("30 MiB", (big * ((30 << 20) // len(big) + 1))[:30 << 20][:-2] + b"\r\n")
    for _ in range(max(1, count // 200)):
        add("500 recipients", text(chance, 5, ASCII), recipients=500)
    for _ in range(max(2, count // 10)):
        add("8-bit", text(chance, 20, EIGHT), parameters=" BODY=8BITMIME")
        add("dots", b"".join(chance.choice((b".", b"..", b"...", b". ", b".\t.", b"..x", b".MAIL FROM:<a@b>", b"", b"x", b".QUIT")) + b"\r\n"
                             for _ in range(40)))
        add("dots only", b".\r\n" * chance.randint(1, 5))
        add("no final newline", text(chance, 3, ASCII) + b"this line has no end", as_chunks=True)
        add("no body", b"")
        add("empty lines", b"\r\n" * chance.randint(1, 9))
        add("DSN", text(chance, 5, ASCII), parameters=f" RET=HDRS ENVID=QQ+2B{number}",
            rcpt_parameters=" NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;first+2Blast@origin.example")
        add("UTF-8 addresses", text(chance, 5, ASCII) + "Grüße, שלום\r\n".encode(), parameters=" SMTPUTF8 BODY=8BITMIME", utf8=True)
    while len(made) < count:
        add("plain", text(chance, chance.randint(1, 60), ASCII))
    chance.shuffle(made)
    return made


def hand_in_all(messages, port, sessions=8):
    """Accepted messages by mark; what was refused by kind."""
    accepted, refused, lock, rest = {}, {}, threading.Lock(), list(messages)

    def run():
        client = None
        while True:
            if client is None:
                client = Client(port, timeout=120)
                client.hello("client.back.example")
            with lock:
                if not rest:
                    break
                message = rest.pop()
            try:
                reply = message.hand_in(client)
            except (HungUp, OSError) as error:
                reply, client = f"the connection broke: {error}", None
            with lock:
                if str(reply).startswith("250"):
                    accepted[message.mark] = message
                else:
                    refused.setdefault(message.kind, []).append(str(reply))

    threads = [threading.Thread(target=run) for _ in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return accepted, refused


def parameters(text):
    return {word.split("=")[0].upper(): word.partition("=")[2] for word in text.split("> ", 1)[-1].split() if ">" not in word}


def one_way(title, domain, port, sink, seed):
    began = time.monotonic()
    messages = batch(domain, COUNT, seed)
    accepted, refused = hand_in_all(messages, port)
    report.note(f"{title}: {len(accepted)} of {len(messages)} handed in, {time.monotonic() - began:.1f} s; refused: { {k: (len(v), v[0]) for k, v in refused.items()} }")
    has_utf8 = NAME == "postfix"
    report.check(f"{title}: only what the first hop cannot do is refused", set(refused) <= (set() if has_utf8 or port == OURS else {"UTF-8 addresses"}), set(refused) or "")
    expected = {m: s for m, s in accepted.items() if has_utf8 or s.kind != "UTF-8 addresses"}

    def got():
        found = sink.by_field("X-Mark")
        return all(sum(len(m.recipients) for m in found.get(mark, []) if "<>" not in m.mail) >= len(sent.recipients) for mark, sent in expected.items())

    try:
        wait_for(got, 30 + COUNT / 5, "all mail")
    except TimeoutError as error:
        report.note(str(error))
    found = sink.by_field("X-Mark")
    report.note(f"{title}: all there after {time.monotonic() - began:.1f} s")
    for kind in sorted({s.kind for s in messages}):
        sent = [s for s in expected.values() if s.kind == kind]
        if not sent:
            continue
        missing, changed, twice, lost_parameters, by = [], [], [], [], set()
        for s in sent:
            copies = [m for m in found.get(s.mark, []) if "<>" not in m.mail]
            names = [re.match(r"<([^>]*)>", r).group(1) for m in copies for r in m.recipients]
            if set(names) != set(s.recipients):
                missing.append(s.mark)
            if len(names) != len(set(names)):
                twice.append(s.mark)
            whole = s.body if s.body.endswith(b"\r\n") or not s.body else s.body + b"\r\n"
            for m in copies:
                by.add(m.by)
                if m.body != whole:
                    changed.append((s.mark, len(m.body), len(whole)))
                if kind == "DSN":
                    mail, rcpt = parameters(m.mail), parameters(m.recipients[0])
                    if (mail.get("RET"), mail.get("ENVID")) != ("HDRS", s.parameters.split("ENVID=")[1]) or set(
                            rcpt.get("NOTIFY", "").split(",")) != {"SUCCESS", "FAILURE"} or rcpt.get("ORCPT", "").lower() != "rfc822;first+2blast@origin.example":
                        lost_parameters.append((m.mail, m.recipients[0]))
                if kind == "UTF-8 addresses" and "SMTPUTF8" not in m.mail:
                    lost_parameters.append(m.mail)
        report.check(f"{title}: {kind}: {len(sent)} arrived once, octet by octet ({', '.join(sorted(by))})", not (missing or changed or twice),
                     "" if not (missing or changed or twice) else f"missing {missing[:3]} changed {changed[:3]} twice {twice[:3]}")
        if kind in ("DSN", "UTF-8 addresses"):
            report.check(f"{title}: {kind}: parameters kept", not lost_parameters, lost_parameters[:2] or "")
    if not has_utf8 and port == OURS:
        # Accepted by us, and the next hop cannot take it: back to the sender, who is known to take UTF-8.
        wanted = len([s for s in accepted.values() if s.kind == "UTF-8 addresses"])
        try:
            wait_for(lambda: sum(b"5.6.7" in m.content for m in sink.messages) >= wanted, 20)
        except TimeoutError:
            pass
        report.check(f"{title}: UTF-8 addresses come back as 5.6.7", sum(b"5.6.7" in m.content for m in sink.messages) == wanted,
                     (sum(b"5.6.7" in m.content for m in sink.messages), wanted))
    report.check(f"{title}: no lone CR or LF", not sink.faults, sink.faults[:3] or "")
    sink.messages.clear()


def reports(sink, domain, port, who):
    """Failure and success: who must tell the sender does, and says the envelope id."""
    client = Client(port)
    client.hello()
    for mark, rcpt, notify in (("fail", f"refused@{domain}", "FAILURE"), ("never", f"refused2@{domain}", "NEVER"), ("both", f"refused3@{domain}", "SUCCESS,FAILURE")):
        sent = Sent(f"{domain.split('.')[0]}-{mark}", mark, domain, b"x\r\n", parameters=f" RET=FULL ENVID=ID-{mark}", rcpt_parameters=f" NOTIFY={notify} ORCPT=rfc822;asked-{mark}@origin.example")
        sent.recipients = [rcpt]
        assert sent.hand_in(client).code == 250
    bounces = lambda: [m for m in sink.messages if m.mail.startswith("<>")]
    try:
        wait_for(lambda: len(bounces()) >= 2, 30)
    except TimeoutError:
        pass
    time.sleep(1)
    texts = [m.content.decode("utf-8", "replace") for m in bounces()]
    for mark in ("fail", "both"):
        if who.startswith(f"us to {NAME}") and NAME == "opensmtpd":
            # It passes DSN's parameters on, but its own reports do not bear them.
            report.check(f"{who}: a report of failure ({mark})", len([t for t in texts if f"X-Mark: {domain.split('.')[0]}-{mark}" in t]) == 1)
            continue
        mine = [t for t in texts if f"ID-{mark}" in t]
        report.check(f"{who}: a report of failure ({mark}) with envelope id and original recipient", len(mine) == 1 and f"asked-{mark}@origin.example" in mine[0], len(mine))
    report.check(f"{who}: none for NOTIFY=NEVER", not [t for t in texts if "ID-never" in t or "-never\r\n" in t])
    sink.messages.clear()


def main():
    folder = Folder("neighbours")
    refuse = lambda rcpt: "550 5.1.1 no such user" if rcpt.startswith("<refused") else None
    sink = Sink(SINK, refuse=refuse)
    bare = Sink(BARE, ("PIPELINING", "8BITMIME", "SIZE"))    # no DSN: success ends at us
    cert, key = certificate(folder, "relay", "relay.demo.example")
    text = f"""listeners: [{{name: inside, kind: inside, address: "127.0.0.1:{OURS}", tls: starttls, limits: {{message-size: 60MiB}}}}]
tls: {{certificates: [{{certificate: "{cert}", key: "{key}"}}]}}
relay: {{networks: [127.0.0.0/8]}}
routes:
  default: {{smarthost: "127.0.0.1:{SINK}", tls: none}}
  out.example: {{smarthost: "127.0.0.1:{THEIRS}"}}
  bare.example: {{smarthost: "127.0.0.1:{BARE}", tls: none}}
"""
    node = Node(folder, text, OURS).start()
    neighbour = Neighbour(folder)
    try:
        one_way(f"{NAME} to us", "in.example", THEIRS, sink, 1)
        one_way(f"us to {NAME}", "out.example", OURS, sink, 2)
        reports(sink, "in.example", THEIRS, f"{NAME} to us, refused behind us")
        reports(sink, "out.example", OURS, f"us to {NAME}, refused behind it")
        client = Client(THEIRS)
        client.hello()
        sent = Sent("bare-1", "relayed", "bare.example", b"x\r\n", parameters=" ENVID=ID-relayed", rcpt_parameters=" NOTIFY=SUCCESS")
        assert sent.hand_in(client).code == 250
        try:
            wait_for(lambda: [m for m in sink.messages if b"ID-relayed" in m.content], 20)
        except TimeoutError:
            pass
        mine = [m.content for m in sink.messages if b"ID-relayed" in m.content]
        report.check("success is reported as relayed where DSN ends", len(mine) == 1 and b"Action: relayed" in mine[0] and bare.count == 1, (len(mine), bare.count))
        lines = node.event_lines()
        for what, pattern in (("messages in under TLS", r'"kind":"reception".*"tls":"TLS'), ("attempts out under TLS", r'"tls":"TLS.*out\.example|out\.example.*"tls":"TLS')):
            report.note(f"{what}: {sum(1 for line in lines if re.search(pattern, line))}")
        report.check("the node ran through", node.process.poll() is None)
    finally:
        node.stop()
        neighbour.stop()
    code = report.end()
    if code == 0:
        folder.remove()
    else:
        report.note(f"kept: {folder.path}")
    return code


sys.exit(main())
