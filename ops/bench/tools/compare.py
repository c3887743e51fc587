"""compare.py: called by `compare`, inside its namespaces."""
import argparse, os, re, shutil, statistics, subprocess, sys, time
import postfix
from nodeprocess import Folder, Node, answers, program, wait_for

OURS, THEIRS, SINK = 2525, 2526, 2626
SIZE = 4096
TICK = os.sysconf("SC_CLK_TCK")

parser = argparse.ArgumentParser(prog="compare")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--seconds", type=float, default=3, help="how long one measurement shall take, about")
options = parser.parse_args()

# What a competent administrator would set for one next hop and many clients.
TUNED = """default_process_limit = 300
in_flow_delay = 0
max_use = 10000
qmgr_message_active_limit = 50000
qmgr_message_recipient_limit = 50000
default_destination_concurrency_limit = 50
initial_destination_concurrency = 50
smtp_connection_cache_destinations = [127.0.0.1]:2626
smtpd_recipient_restrictions = {}permit_mynetworks, reject
"""


def processor_seconds(roots):
    """Of these processes, their children, and all children that have ended."""
    parents, times = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(name)], times[int(name)] = int(fields[1]), sum(map(int, fields[11:15]))
    def belongs(pid):
        while pid in parents:
            if pid in roots:
                return True
            pid = parents[pid]
        return False
    return sum(time for pid, time in times.items() if belongs(pid)) / TICK


class Ours:
    name, port = "chappe", OURS

    def start(self, folder, hold):
        self.node = Node(folder, f"""listeners:
  - {{name: mx, kind: mx, address: "127.0.0.1:{OURS}", tls: none, reverse-lookup: false, hold: {str(hold).lower()}}}
relay: {{networks: [127.0.0.0/8]}}
routes: {{default: {{smarthost: "127.0.0.1:{SINK}", tls: none}}}}
""", OURS, name="hold" if hold else "relay").start()

    def stop(self):
        self.node.stop()
        shutil.rmtree(self.node.data)

    def processor(self):
        return processor_seconds({self.node.process.pid})

    def queued(self):
        text = self.node.chappe("status", "-o", "json").stdout
        return int(re.search(r'"messages"\s*:\s*(\d+)', text).group(1))


class Theirs:
    name, port = "postfix", THEIRS

    def start(self, folder, hold):
        postfix.configure(THEIRS, f"[127.0.0.1]:{SINK}", folder / "postfix.log",
                          TUNED.format("check_client_access static:HOLD, " if hold else ""), sessions=1000)
        postfix.start()
        wait_for(lambda: answers(THEIRS), 30, "Postfix's greeting")

    def stop(self):
        postfix.stop()
        postfix.wipe()

    def processor(self):
        return processor_seconds({postfix.master()})

    def queued(self):
        return postfix.queued()


def hand_in(port, sessions, count):
    """Seconds that smtp-source takes."""
    begun = time.monotonic()
    subprocess.run(["smtp-source", "-d", "-s", str(sessions), "-m", str(count), "-l", str(SIZE), "-f", "a@client.example",
                    "-t", "b@sink.example", f"127.0.0.1:{port}"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


def sink():
    process = subprocess.Popen(["smtp-sink", "-u", "postfix", f"127.0.0.1:{SINK}", "1000"])
    wait_for(lambda: answers(SINK), 10, "smtp-sink's greeting")
    return process


def intake(relay, folder, sessions, count):
    """Rate, microseconds of processor a message; all of them are held in the queue."""
    before, spent = relay.queued(), relay.processor()
    took = hand_in(relay.port, sessions, count)
    spent = relay.processor() - spent
    wait_for(lambda: relay.queued() - before == count, 20, f"{count} messages in the queue of {relay.name}")
    return count / took, spent / count * 1e6


def through(relay, folder, sessions, count):
    """From the first connection until nothing is left in the queue, looked at every 20 ms or so."""
    begun, spent = time.monotonic(), relay.processor()
    hand_in(relay.port, sessions, count)
    wait_for(lambda: relay.queued() == 0, 120, f"an empty queue of {relay.name}")
    took = time.monotonic() - begun
    return count / took, (relay.processor() - spent) / count * 1e6


def measure(title, how, hold, sessions, folder):
    found = {Ours.name: [], Theirs.name: []}
    counts = {}
    for _ in range(options.rounds):
        for relay in (Ours(), Theirs()):
            relay.start(folder, hold)
            try:
                # The first ones make processes, files and connections, and tell how many fill the time.
                rate, _ = how(relay, folder, sessions, 400 if sessions > 1 else 100)
                count = counts.setdefault(relay.name, min(60_000, max(500, int(rate * options.seconds))))
                found[relay.name].append(how(relay, folder, sessions, count))
            finally:
                relay.stop()
    for place, what, unit in ((0, "rate", "messages/s"), (1, "processor", "us a message")):
        columns = {}
        for name, rounds in found.items():
            values = sorted(each[place] for each in rounds)
            columns[name] = statistics.median(values)
            spread = (values[-1] - values[0]) / columns[name]
            print(f"{title:28} {what:10} {name:8} {columns[name]:9.0f} {unit:13} spread {spread:4.0%}", flush=True)
        print(f"{title:28} {what:10} ratio    {columns[Ours.name] / columns[Theirs.name]:9.3f} x Postfix", flush=True)


def ceiling():
    """The generator against the sink, with nothing between."""
    rates = [20_000 / hand_in(SINK, 50, 20_000) for _ in range(options.rounds)]
    print(f"{'smtp-source to smtp-sink':28} {'rate':10} ceiling  {statistics.median(rates):9.0f} messages/s", flush=True)


def main():
    folder = Folder("compare")
    program("chapped")
    print(f"{SIZE} octets a message, medians of {options.rounds} rounds in turns, {os.cpu_count()} processors", flush=True)
    receiver = sink()
    ceiling()
    measure("intake, 50 sessions", intake, True, 50, folder)
    measure("intake, 1 session", intake, True, 1, folder)
    measure("relay end to end, 50 sessions", through, False, 50, folder)
    receiver.terminate()
    receiver.wait()
    folder.remove()


main()
