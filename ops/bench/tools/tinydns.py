"""An authoritative server of a few names, by UDP and TCP: {name: {type: [values]}}; what is not there does not exist."""
import ipaddress, socket, struct, threading

TYPES = {"A": 1, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "AAAA": 28}


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.rstrip(".").split(".") if label) + b"\0"


def octets(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "MX":
        preference, host = value.split()
        return struct.pack("!H", int(preference)) + name(host)
    return name(value)


SOA = name("ns.example") + name("hostmaster.example") + struct.pack("!5I", 1, 60, 60, 60, 60)


def answer(query, zone):
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
        at += 1 + query[at]
    asked, kind = ".".join(labels), struct.unpack("!H", query[at + 1:at + 3])[0]
    question, records, owner = query[12:at + 5], [], asked
    while owner in zone:
        entry = zone[owner]
        if "CNAME" in entry:
            records.append(name(owner) + struct.pack("!HHIH", 5, 1, 60, len(name(entry["CNAME"][0]))) + name(entry["CNAME"][0]))
            owner = entry["CNAME"][0]
            continue
        for word, values in entry.items():
            if TYPES[word] == kind:
                for value in values:
                    data = octets(word, value)
                    records.append(name(owner) + struct.pack("!HHIH", kind, 1, 60, len(data)) + data)
        break
    code = 0 if asked in zone else 3
    if any(n.endswith("." + asked) for n in zone):
        code = 0
    authority = b"" if records else name(".".join(labels[-1:])) + struct.pack("!HHIH", 6, 1, 60, len(SOA)) + SOA
    header = query[:2] + struct.pack("!HHHHH", 0x8580 | code, 1, len(records), 0 if records else 1, 0)
    return header + question + b"".join(records) + authority


def serve(zone, address, port=53):
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind((address, port))
    stream = socket.create_server((address, port))

    def by_datagram():
        while True:
            query, peer = datagrams.recvfrom(4096)
            try:
                datagrams.sendto(answer(query, zone), peer)
            except (IndexError, struct.error):
                pass

    def by_stream():
        while True:
            peer, _ = stream.accept()
            with peer:
                size = peer.recv(2)
                if len(size) == 2:
                    reply = answer(peer.recv(struct.unpack("!H", size)[0]), zone)
                    peer.sendall(struct.pack("!H", len(reply)) + reply)

    for run in (by_datagram, by_stream):
        threading.Thread(target=run, daemon=True).start()
