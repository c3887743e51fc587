"""Starts the programs under test, and stops what it started: nothing else on the machine is touched."""
import os, shutil, signal, socket, subprocess, sys, tempfile, time

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))


def program(name):
    """chapped or chappe: of $CHAPPE_BIN, else the release build, else the debug build."""
    folders = [os.environ.get("CHAPPE_BIN", ""), f"{TREE}/.build/release", f"{TREE}/.build/debug"]
    for folder in folders:
        if folder and os.access(f"{folder}/{name}", os.X_OK):
            return f"{folder}/{name}"
    sys.exit(f"{name} is not built: swift build -c release --product {name}")


def wait_for(condition, seconds=20, what="what was expected"):
    """The first true value of `condition`, asked again and again; ends the program if there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come within {seconds} s")
        time.sleep(0.02)


def answers(port, host="127.0.0.1"):
    try:
        with socket.create_connection((host, port), 2) as s:
            return s.recv(512).startswith(b"220")
    except OSError:
        return False


class Folder:
    """A work folder that goes when the program ends well, and stays when it does not."""

    def __init__(self, name):
        self.path = tempfile.mkdtemp(prefix=f"chappe-{name}.", dir=os.environ.get("BENCH", None))
        os.chmod(self.path, 0o755)

    def __truediv__(self, name):
        return os.path.join(self.path, name)

    def write(self, name, text, mode=0o644):
        with open(self / name, "w") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
        return self / name

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


def certificate(folder, name, *hosts, authority=None, days=30, rsa=False):
    """Paths of a certificate and its key for `hosts`, signed by itself or by `authority` (the same pair)."""
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    names = ",".join(f"DNS:{host}" for host in hosts)
    command = ["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", str(days), "-keyout", key, "-out", cert,
               "-subj", f"/CN={hosts[0]}", "-addext", f"subjectAltName={names}"]
    if authority:
        command += ["-CA", authority[0], "-CAkey", authority[1], "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(command, check=True, capture_output=True)
    os.chmod(key, 0o600)
    return cert, key


class Node:
    """One chapped. `text` is its configuration without the lines that every trial has in common."""

    def __init__(self, folder, text, port, name="node", wrapper=(), host="127.0.0.1"):
        self.folder, self.port, self.host, self.wrapper = folder, port, host, list(wrapper)
        self.data = data = folder / f"{name}.data"
        self.admin = folder / f"{name}.sock"
        self.events = folder / f"{name}.events"
        self.log = folder / f"{name}.log"
        common = (f"hostname: relay.demo.example\npostmaster: postmaster@demo.example\ndata-directory: {data}\n"
                  f"user: root\ngroup: root\nadmin: {{socket: {self.admin}, group: root}}\n"
                  f"events: {{file: {self.events}}}\n")
        self.config = folder.write(f"{name}.yaml", common + text)
        self.process = None

    def rewrite(self, change):
        with open(self.config) as file:
            text = change(file.read())
        with open(self.config, "w") as file:
            file.write(text)

    def start(self):
        log = open(self.log, "a")
        self.process = subprocess.Popen(
            self.wrapper + [program("chapped"), "--config", self.config], stdout=log, stderr=log)
        def up():
            if self.process.poll() is not None:
                raise RuntimeError(f"the node ended at start:\n{open(self.log).read()[-2000:]}")
            return answers(self.port, self.host)
        wait_for(up, 60, "the node's greeting")
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode if self.process else None

    def chappe(self, *words, **options):
        """`chappe WORDS` against this node: its result object."""
        words = list(words) + (["--socket", self.admin] if options.pop("socket", True) else [])
        return subprocess.run([program("chappe")] + words, capture_output=True, text=True, timeout=120, **options)

    def event_lines(self):
        try:
            with open(self.events, errors="replace") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    @property
    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


class Report:
    """One line for each thing tried; `end` says how many failed, and is the exit code."""

    def __init__(self):
        self.failed, self.tried = [], 0

    def check(self, name, holds, detail=""):
        self.tried += 1
        if not holds:
            self.failed.append(name)
        print(f"{'ok  ' if holds else 'FAIL'}  {name}{'  ' + str(detail) if detail != '' else ''}", flush=True)
        return holds

    def note(self, text):
        print(f"      {text}", flush=True)

    def end(self):
        print(f"{self.tried} checks, {len(self.failed)} failed" + "".join(f"\n  - {n}" for n in self.failed))
        return 1 if self.failed else 0
