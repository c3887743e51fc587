#!/usr/bin/env python3
"""A mail sink for demonstrations: takes every message by SMTP and keeps each as a file.

usage: sink.py PORT FOLDER [ADDRESS]   (PORT 0: any; the port in use is the first line printed; ADDRESS: 127.0.0.1)
"""
import asyncio
import os
import sys


class Sink:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    async def session(self, reader, writer):
        def say(text):
            writer.write(text.encode() + b"\r\n")

        say("220 sink.example ESMTP")
        sender, recipients = b"", []
        try:
            while True:
                await writer.drain()
                line = await reader.readline()
                if not line:
                    break
                verb = line[:4].upper()
                if verb in (b"EHLO", b"LHLO"):
                    say("250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8")
                elif verb == b"MAIL":
                    sender, recipients = line[10:].strip(), []
                    say("250 2.1.0 Ok")
                elif verb == b"RCPT":
                    recipients.append(line[8:].strip())
                    say("250 2.1.5 Ok")
                elif verb == b"DATA":
                    say("354 Go ahead")
                    await writer.drain()
                    self.keep(sender, recipients, await self.content(reader))
                    say("250 2.0.0 Kept")
                elif verb == b"QUIT":
                    say("221 2.0.0 Bye")
                    await writer.drain()
                    break
                else:
                    say("250 2.0.0 Ok")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def content(self, reader):
        lines = []
        while True:
            line = await reader.readuntil(b"\r\n")
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)

    def keep(self, sender, recipients, content):
        self.count += 1
        name = os.path.join(self.folder, f"{self.count:06}.eml")
        with open(name + ".part", "wb") as file:
            file.write(b"X-Envelope-From: " + sender + b"\r\n")
            for recipient in recipients:
                file.write(b"X-Envelope-To: " + recipient + b"\r\n")
            file.write(content)
        os.rename(name + ".part", name)


async def main(port, folder, address="127.0.0.1"):
    os.makedirs(folder, exist_ok=True)
    server = await asyncio.start_server(Sink(folder).session, address, port, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main(int(sys.argv[1]), *sys.argv[2:4]))
