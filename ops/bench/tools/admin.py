"""Asks a node's admin socket, without a process for each question."""

import http.client
import json
import socket


class Connection(http.client.HTTPConnection):
    def __init__(self, path, patience):
        super().__init__("localhost", timeout=patience)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(path, resource, patience=10):
    """What `GET /v1/RESOURCE` says; None where nobody answers, or not with 200."""
    connection = Connection(path, patience)
    try:
        connection.request("GET", f"/v1/{resource}")
        answer = connection.getresponse()
        text = answer.read()
        return json.loads(text) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
