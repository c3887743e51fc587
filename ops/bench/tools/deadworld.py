#!/usr/bin/env python3
"""The Internet of the dead-domains bench, within a network namespace: names, hosts that take mail, hosts that never do.

deadworld.py             prints `ready`, and one line (count, of them measured, in seconds, dripping, first after seconds) for
                         each line that it reads: `tell`, or `forget` (which counts anew)

Names:  lN.live.example      mail host in 203.0.113.0/24, takes everything at once
        dN.dead.example      N even: in 198.51.100.0/24, where SYNs vanish; odd: in 192.0.2.0/24, whose hosts greet
                             with an octet every ten seconds
"""
import asyncio
import resource
import struct
import sys
import time

DRIP_SECONDS = 10
MX, A, AAAA = 15, 1, 28


def name_octets(name):
    return b"".join(bytes([len(label)]) + label for label in name.split(b".")) + b"\0"


class Names(asyncio.DatagramProtocol):
    """Answers MX and A of the two zones; anything else is empty."""

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, query, peer):
        place, labels = 12, []
        while query[place]:
            labels.append(query[place + 1:place + 1 + query[place]])
            place += 1 + query[place]
        question = query[12:place + 5]
        kind = struct.unpack(">H", query[place + 1:place + 3])[0]
        name = b".".join(labels).lower()
        data = self.answer(labels, name, kind)
        records = b"" if data is None else struct.pack(">HHHIH", 0xC00C, kind, 1, 3600, len(data)) + data
        recursion = struct.unpack(">H", query[2:4])[0] & 0x0100
        head = query[:2] + struct.pack(">HHHHH", 0x8480 | recursion, 1, 0 if data is None else 1, 0, 0)
        self.transport.sendto(head + question + records, peer)

    def answer(self, labels, name, kind):
        zone = b".".join(labels[-2:]).lower()
        if zone not in (b"live.example", b"dead.example") or len(labels) < 3:
            return None
        own = labels[-3].lower()
        number = int(own[1:]) if own[1:].isdigit() else 0
        if kind == MX and len(labels) == 3:
            return struct.pack(">H", 10) + name_octets(b"mx." + name)
        if kind == A and len(labels) == 4:
            last = 1 + number % 250
            if zone == b"live.example":
                return bytes([203, 0, 113, last])
            return bytes([198, 51, 100, last]) if number % 2 == 0 else bytes([192, 0, 2, last])
        return None


class Arrivals:
    def __init__(self):
        self.forget()
        self.dripping = 0

    def forget(self):
        self.count, self.times, self.since = 0, [], time.monotonic()

    def note(self):
        self.count += 1
        self.times.append(time.monotonic())


class Host(asyncio.Protocol):
    """Takes mail as cheaply as Python can; whole reads are looked at, not lines."""

    HELLO = b"250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n"

    def __init__(self, arrivals):
        self.arrivals = arrivals
        self.inContent = False
        self.rest = b""
        self.drip = None

    def connection_made(self, transport):
        self.transport = transport
        if transport.get_extra_info("sockname")[0].startswith("192.0.2."):
            self.arrivals.dripping += 1
            self.octets = iter(b"220 " + b"patience" * 100 + b"\r\n")
            self.drop()
        else:
            transport.write(b"220 sink.example ESMTP\r\n")

    def drop(self):
        self.transport.write(bytes([next(self.octets)]))
        self.drip = asyncio.get_running_loop().call_later(DRIP_SECONDS, self.drop)

    def connection_lost(self, _):
        if self.drip:
            self.drip.cancel()
            self.arrivals.dripping -= 1

    def data_received(self, data):
        if self.drip:
            return
        data = self.rest + data
        self.rest = b""
        answers = []
        while data:
            if self.inContent:
                end = data.find(b"\r\n.\r\n")
                if end < 0:
                    self.rest = data[-4:]
                    break
                self.arrivals.note()
                answers.append(b"250 2.0.0 Kept\r\n")
                data, self.inContent = data[end + 5:], False
                continue
            end = data.find(b"\n")
            if end < 0:
                self.rest = data
                break
            verb, data = data[:4].upper(), data[end + 1:]
            if verb == b"EHLO":
                answers.append(self.HELLO)
            elif verb == b"DATA":
                answers.append(b"354 Go ahead\r\n")
                self.inContent = True
            elif verb == b"QUIT":
                answers.append(b"221 2.0.0 Bye\r\n")
                self.transport.write(b"".join(answers))
                self.transport.close()
                return
            else:
                answers.append(b"250 2.0.0 Ok\r\n")
        if answers:
            self.transport.write(b"".join(answers))


async def main():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    loop = asyncio.get_running_loop()
    arrivals = Arrivals()
    await loop.create_datagram_endpoint(Names, local_addr=("127.0.0.1", 53))
    await loop.create_server(lambda: Host(arrivals), "0.0.0.0", 25, backlog=4096)
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    print("ready", flush=True)
    while line := await orders.readline():
        if line.startswith(b"forget"):
            arrivals.forget()
        times = arrivals.times
        # From the twentieth to the last twentieth: neither the start nor the last straggler is the rate.
        few = len(times) // 20
        first, last = (times[few], times[-1 - few]) if len(times) > 40 else (0, 0)
        inside = len(times) - 2 * few - 1
        wait = times[0] - arrivals.since if times else 0
        print(arrivals.count, inside, f"{last - first:.6f}", arrivals.dripping, f"{wait:.3f}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
