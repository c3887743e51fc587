"""A node of our own to try things on: its configuration, its start, its end."""

import atexit
import json
import os
import signal
import socket
import subprocess
import time

from nodeprocess import program


class Node:
    """One `chapped` on loopback, that relays everything to one next hop on loopback."""

    def __init__(self, folder, port, next_hop, data=None, **settings):
        self.folder = folder
        self.port = port
        self.next_hop = next_hop
        self.data = data or folder + "/data"
        self.settings = settings
        self.process = None
        self.wrapper = []
        self.environment = {}
        os.makedirs(folder, exist_ok=True)
        self.configure()
        atexit.register(self.end)

    @property
    def store(self):
        return self.data + "/queue"

    @property
    def events(self):
        return self.folder + "/events.jsonl"

    @property
    def socket(self):
        return self.folder + "/admin.sock"

    def configure(self, **settings):
        self.settings.update(settings)
        document = {
            "hostname": "relay.bench.example",
            "postmaster": "postmaster@bench.example",
            "data-directory": self.data,
            "user": "root",
            "group": "root",
            "listeners": [
                {"name": "mx", "kind": "mx", "address": f"127.0.0.1:{self.port}", "tls": "none",
                 "reverse-lookup": False}
            ],
            "relay": {"networks": ["127.0.0.0/8"]},
            "routes": {"default": {"smarthost": f"127.0.0.1:{self.next_hop}"}},
            "admin": {"socket": self.socket, "group": "root"},
            "events": {"file": self.events},
        }
        document.update(self.settings)
        with open(self.folder + "/chappe.yaml", "w") as file:
            json.dump(document, file, indent=1)  # JSON is YAML

    # Start and end

    def launch(self):
        """Starts the process, and returns without waiting for it."""
        log = open(self.folder + "/chapped.log", "ab")
        command = self.wrapper + [program("chapped"), "--config", self.folder + "/chappe.yaml"]
        self.process = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **self.environment})
        log.close()

    def start(self, patience=60):
        """Starts the process; the seconds until a greeting came."""
        begun = time.monotonic()
        self.launch()
        self.await_greeting(patience)
        return time.monotonic() - begun

    def await_greeting(self, patience=60):
        limit = time.monotonic() + patience
        while True:
            if self.process.poll() is not None:
                raise Refused(self.process.returncode, self.log_tail())
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as peer:
                    if peer.recv(200).startswith(b"220"):
                        return
            except OSError:
                pass
            if time.monotonic() > limit:
                raise SystemExit(f"no greeting within {patience} s: {self.log_tail()}")
            time.sleep(0.005)

    def kill(self):
        """SIGKILL: nothing is tidied up."""
        os.kill(self.program_pid, signal.SIGKILL)
        self.process.wait()

    def freeze(self):
        """SIGSTOP, and waits until every thread stands still: until then one in a system call goes on."""
        os.kill(self.process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def stop(self, patience=60):
        """SIGTERM, and the exit status."""
        if self.process is None or self.process.poll() is not None:
            return self.process and self.process.returncode
        os.kill(self.program_pid, signal.SIGTERM)
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            return "killed after SIGTERM"

    def end(self):
        """Nothing of ours outlives the trial."""
        if self.process and self.process.poll() is None:
            self.kill()

    @property
    def program_pid(self):
        """The node's own: a tracer that is told to end lets go of it, and it would run on."""
        pid = self.process.pid
        if self.wrapper:
            with open(f"/proc/{pid}/task/{pid}/children") as file:
                pid = int((file.read().split() or [pid])[0])
        return pid

    # Looking

    def log_tail(self, lines=5):
        with open(self.folder + "/chapped.log", errors="replace") as file:
            return "".join(file.readlines()[-lines:]).strip()

    def chappe(self, *arguments):
        return subprocess.run(
            [program("chappe"), *arguments], capture_output=True, text=True,
            env={**os.environ, "CHAPPE_SOCKET": self.socket})

    def status(self):
        result = self.chappe("status", "-o", "json")
        try:
            return json.loads(result.stdout)
        except ValueError:
            return None

    def memory(self, field="VmRSS"):
        """Octets, of the process and not of what wraps it."""
        with open(f"/proc/{self.process.pid}/status") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024

    def release_all(self):
        return self.chappe("queue", "release", "--all", "--reason", "bench", "--yes")

    def await_loaded(self, patience=120, tick=0.05):
        """Waits until the whole queue is scheduled; the seconds that took, or None."""
        begun = time.monotonic()
        while time.monotonic() - begun < patience:
            status = self.status()
            if status and status["queue"]["isLoaded"]:
                return time.monotonic() - begun
            time.sleep(tick)
        return None

    def await_queue(self, count, patience=120, tick=0.25):
        """Waits until the queue holds `count` messages, and all of it is read; the seconds that took, or None."""
        begun = time.monotonic()
        while time.monotonic() - begun < patience:
            status = self.status()
            if status and status["queue"]["isLoaded"] and status["queue"]["messages"] == count:
                return time.monotonic() - begun
            time.sleep(tick)
        return None


class Refused(Exception):
    """The node did not start: its exit status, and what it said."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code
        self.text = text
