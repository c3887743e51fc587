"""The client's half of SCRAM-SHA-256 (RFC 7677), without channel binding: `header` says what is claimed about it."""
import base64, hashlib, hmac, os


class Client:
    def __init__(self, user, password, header=b"n,,"):
        self.header, self.password = header, password.encode()
        self.nonce = base64.b64encode(os.urandom(18))
        self.bare = b"n=" + user.encode().replace(b"=", b"=3D").replace(b",", b"=2C") + b",r=" + self.nonce

    def first(self):
        return self.header + self.bare

    def final(self, server_first):
        fields = dict(part.split(b"=", 1) for part in server_first.split(b","))
        assert fields[b"r"].startswith(self.nonce), "the server forgot our nonce"
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(fields[b"s"]), int(fields[b"i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        without = b"c=" + base64.b64encode(self.header) + b",r=" + fields[b"r"]
        message = self.bare + b"," + server_first + b"," + without
        proof = bytes(a ^ b for a, b in zip(key, hmac.digest(hashlib.sha256(key).digest(), message, "sha256")))
        self.signature = base64.b64encode(hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256"))
        return without + b",p=" + base64.b64encode(proof)

    def verify(self, server_final):
        return server_final == b"v=" + self.signature


def authenticate(smtp, user, password, header=b"n,,"):
    """The last reply of an AUTH SCRAM-SHA-256, and whether the server has proved that it knows the account too."""
    client = Client(user, password, header)
    reply = smtp.command(b"AUTH SCRAM-SHA-256 " + base64.b64encode(client.first()))
    if reply.code != 334:
        return reply, False
    reply = smtp.command(base64.b64encode(client.final(base64.b64decode(reply[4:]))))
    if reply.code != 334:
        return reply, False
    proved = client.verify(base64.b64decode(reply[4:]))
    return smtp.command(""), proved
