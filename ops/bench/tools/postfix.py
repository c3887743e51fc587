"""Postfix as a neighbour, inside `with-package postfix`: it relays for loopback, and all of it to one next hop."""
import os, subprocess, sys

MAIN = """compatibility_level = 3.6
myhostname = neighbour.example
queue_directory = /var/spool/postfix
data_directory = /var/spool/postfix-data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {log}
maillog_file_prefixes = /var, /tmp
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
local_transport = error:no local mail
disable_dns_lookups = yes
smtp_host_lookup = native
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
mailbox_size_limit = 0
relayhost = {relayhost}
smtpd_client_connection_count_limit = 0
notify_classes =
{more}"""
MASTER = """127.0.0.1:{port} inet n - n - {sessions} smtpd
postlog   unix-dgram n - n - 1 postlogd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
showq     unix  n - n - - showq
"""


def configure(port, relayhost, log, more="", sessions=100):
    for path in ("/var/spool/postfix", "/var/spool/postfix-data"):
        os.makedirs(path, exist_ok=True)
    subprocess.run(["chown", "postfix", "/var/spool/postfix-data"], check=True)
    for file, text in (("main.cf", MAIN.format(relayhost=relayhost, log=log, more=more)),
                       ("master.cf", MASTER.format(port=port, sessions=sessions))):
        with open(f"/etc/postfix/{file}", "w") as out:
            out.write(text)


def start():
    started = subprocess.run(["postfix", "start"], capture_output=True, text=True)
    if started.returncode:
        sys.exit(f"postfix did not start: {started.stdout}{started.stderr}")


def stop():
    subprocess.run(["postfix", "stop"], capture_output=True)


def master():
    with open("/var/spool/postfix/pid/master.pid") as file:
        return int(file.read())


def queue_files():
    return [f"{folder}/{file}" for name in ("incoming", "active", "deferred", "hold")
            for folder, _, files in os.walk(f"/var/spool/postfix/{name}") for file in files]


def queued():
    return len(queue_files())


def wipe():
    """While it is stopped."""
    for path in queue_files():
        os.remove(path)
