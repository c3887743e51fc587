"""What the trials of keeping mail share: a sink of their own, a comparison of what was promised with what came, a verdict."""

import argparse
import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import sink

TOOLS = os.path.dirname(os.path.abspath(__file__))


def parser(text, port):
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=port, help="the node's; the next one is the sink's")
    parser.add_argument("--folder", help="work here (must not exist), and leave it; default: a new one, removed at the end")
    return parser


class Folder:
    """A work folder: kept where it was asked for, or where the trial failed."""

    def __init__(self, options, name):
        if options.folder:
            os.makedirs(options.folder)
            self.path, self.keep = os.path.abspath(options.folder), True
        else:
            self.path, self.keep = tempfile.mkdtemp(prefix=f"chappe-{name}."), False

    def end(self, passed):
        if self.keep or not passed:
            print(f"files: {self.path}")
        else:
            shutil.rmtree(self.path, ignore_errors=True)


class Sink:
    """The next hop, in a process of its own."""

    def __init__(self, folder, port, delay=0.0, arguments=(), address="127.0.0.1"):
        self.arguments = ["--address", address, *arguments]
        self.file = f"{folder}/arrived"
        self.port = port
        self.delay = delay
        self.process = None
        atexit.register(self.stop)

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, f"{TOOLS}/sink.py", str(self.port), self.file, "--delay", str(self.delay)]
            + self.arguments)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def notes(self):
        return sink.notes(self.file)


class Comparison:
    """What was promised against what arrived.

    lost: acknowledged and never arrived. stray: arrived, but neither acknowledged nor in doubt: it was refused, or never
    sent whole. repeated: arrived more than once. garbled: arrived with other octets.
    """

    def __init__(self, loads, notes):
        self.promised = set().union(*(load.acknowledged for load in loads))
        self.doubtful = set().union(*(load.doubtful for load in loads)) - self.promised
        self.arrivals = {}
        self.garbled = 0
        for note in notes:
            self.arrivals.setdefault(note.identity, []).append(note.at)
            self.garbled += not note.whole
        self.lost = self.promised - self.arrivals.keys()
        self.stray = self.arrivals.keys() - self.promised - self.doubtful
        self.repeated = {identity: at for identity, at in self.arrivals.items() if len(at) > 1}
        self.extra = sum(len(at) - 1 for at in self.repeated.values())

    def tell(self):
        print(f"acknowledged {len(self.promised)}, arrived {len(self.arrivals)}, "
              f"in doubt when a connection broke {len(self.doubtful)} "
              f"(of which arrived {len(self.doubtful & self.arrivals.keys())})")
        print(f"lost {len(self.lost)}, garbled {self.garbled}, refused yet arrived {len(self.stray)}, "
              f"arrived again {self.extra}")
        for name in ("lost", "stray"):
            some = sorted(getattr(self, name))[:5]
            if some:
                print(f"  {name}: {' '.join(some)}")


def event_counts(path):
    """How many events of each kind the node wrote."""
    counts = {}
    try:
        with open(path, errors="replace") as file:
            for line in file:
                try:
                    kind = json.loads(line).get("kind")
                except ValueError:
                    kind = "torn line"
                counts[kind] = counts.get(kind, 0) + 1
    except FileNotFoundError:
        pass
    return counts


QUICK_RETRIES = {
    # What was deferred while the next hop was away must not wait for minutes.
    "retry": {"first": "2s", "longest": "5s", "jitter": 0.2},
    "concurrency": {"dead-site-rest-first": "1s", "dead-site-rest-longest": "2s"},
}


class Verdict:
    def __init__(self):
        self.failures = []
        self.begun = time.monotonic()

    def check(self, holds, what):
        if not holds:
            self.failures.append(what)
            print(f"FAILED: {what}")
        return holds

    def end(self, folder):
        passed = not self.failures
        print(f"{'PASSED' if passed else 'FAILED'} in {time.monotonic() - self.begun:.0f} s")
        folder.end(passed)
        sys.exit(0 if passed else 1)
