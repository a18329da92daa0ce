"""How probes connect: in the clear as admin, or to a strict server by TLS host name and token, right or wrong in one thing.

    door = Door(port)                   a server that asks for nothing
    door = Door(port, data)             one with --strict: keys and host name from its data directory
    door.open({"user": "r"})            (["connected"], connection), or (the refusal's lines, None)

Parameters of a connection, `k=v`; without any: admin, with a valid token, TLS, the cluster's host name.

    user, database, options             of the startup packet (`~` for a space, <id> for the cluster's identifier)
    sslmode=disable                     no TLS; sslnegotiation=direct begins with it
    sni=NAME                            the host name TLS asks for; `none` for none
    token=none | changed | WORD         an empty password; a valid token with another signature; this word
    action= region= host= expires=      what the token says, where that is not what fits
    age=SECONDS                         how long ago it was made
    key=stranger | foreign              signed by a principal of this account, or another, that no policy names
    times=N                             up to N connections, one after the other, until one is refused

Invariants
  D1  an answer does not depend on when and where it was given: the cluster's id is <id>, a moment <date>.
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
import time
from pathlib import Path

import psycopg
from opendsql.endpoint import Endpoint
from opendsql.gateway.iam.credentials import read_credentials
from opendsql.gateway.iam.files import default_credentials
from opendsql.gateway.iam.token import CONNECT, CONNECT_ADMIN, make_token

STRANGERS = """
[stranger]
aws_access_key_id = ODSQSTRANGER
aws_secret_access_key = stranger
[foreign]
aws_access_key_id = ODSQFOREIGN
aws_secret_access_key = foreign
principal_arn = arn:aws:iam::999999999999:user/foreign
"""
STARTUP = ("user", "database", "options")


class Door:
    """One server's entrance.

    Args:
        port: on 127.0.0.1.
        data: the directory of a strict server; keys of strangers are added to its credentials.
    """

    def __init__(self, port: int, data: Path | None = None) -> None:
        self.port = port
        self.endpoint = None
        if data is not None:
            self.endpoint = Endpoint.read(data)
            credentials = default_credentials(data)
            credentials.write_text(credentials.read_text(encoding="utf-8") + STRANGERS, encoding="utf-8")
            keys = read_credentials(credentials.read_text(encoding="utf-8"), self.endpoint.account)
            self.keys = {key.profile: key for key in keys.values()}

    def open(self, given: dict[str, str]) -> tuple[list[str], psycopg.Connection | None]:
        """Connects; a refusal is met again without libpq, which hides its SQLSTATE."""
        values = {"user": "admin", "database": "postgres", **{k: v.replace("~", " ") for k, v in given.items() if k in STARTUP}}
        how = {"host": "127.0.0.1"}
        password, sni = "", None
        if self.endpoint is not None:
            password = self.token(given)
            sni = None if given.get("sni") == "none" else given.get("sni", self.endpoint.host)
            how = {"host": sni or "127.0.0.1", "hostaddr": "127.0.0.1", "password": password, "sslmode": given.get("sslmode", "require")}
            how["sslnegotiation"] = given.get("sslnegotiation", "postgres")
            values = {k: v.replace("<id>", self.endpoint.cluster_id) for k, v in values.items()}
        wanted = {"dbname" if k == "database" else k: v for k, v in values.items()}
        connection = None
        for _ in range(int(given.get("times", 1))):
            if connection is not None:
                connection.close()
            try:
                connection = psycopg.connect(port=self.port, autocommit=True, **how, **wanted)  # type: ignore[arg-type]
            except psycopg.OperationalError:
                tls = self.endpoint is not None and given.get("sslmode") != "disable"
                answer = login(self.port, values, password, tls, sni)
                if answer != ["connected"]:  # or time has let it in since
                    return [self.timeless(line) for line in answer], None
        return ["connected"], connection

    def token(self, given: dict[str, str]) -> str:
        """The password of a connection."""
        assert self.endpoint is not None
        wanted = given.get("token", "")
        if wanted not in ("", "changed"):
            return "" if wanted == "none" else wanted
        key = self.keys[given.get("key", "default")]
        action = given.get("action", CONNECT_ADMIN if given.get("user", "admin") == "admin" else CONNECT)
        token = make_token(
            given.get("host", self.endpoint.host), given.get("region", self.endpoint.region), action, key.access_key, key.secret,
            now=time.time() - int(given.get("age", 0)), expires_s=int(given.get("expires", 900)),
        )  # fmt: skip
        return token if not wanted else token[:-1] + ("0" if token[-1] != "0" else "1")

    def timeless(self, line: str) -> str:
        """D1."""
        line = re.sub(r"\b[0-9]{8}T[0-9]{6}Z", "<date>", line)
        return line if self.endpoint is None else line.replace(self.endpoint.cluster_id, "<id>")


def login(port: int, values: dict[str, str], password: str = "", tls: bool = False, sni: str | None = None) -> list[str]:
    """The answer to a startup packet (and the password, when asked): `connected`, or the FATAL error with its SQLSTATE."""
    body = struct.pack("!i", 196608) + b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in values.items()) + b"\0"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        wire = raw
        if tls:
            raw.sendall(struct.pack("!ii", 8, 80877103))
            assert raw.recv(1) == b"S"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            wire = context.wrap_socket(raw, server_hostname=sni)
        with wire, wire.makefile("rb") as stream:
            wire.sendall(struct.pack("!i", len(body) + 4) + body)
            while head := stream.read(5):
                payload = stream.read(struct.unpack("!i", head[1:])[0] - 4)
                if head[:1] == b"R" and payload == struct.pack("!i", 3):
                    wire.sendall(b"p" + struct.pack("!i", len(password.encode()) + 5) + password.encode() + b"\0")
                if head[:1] == b"Z":
                    return ["connected"]
                if head[:1] == b"E":
                    found = {part[:1]: part[1:].decode() for part in payload.split(b"\0") if part}
                    more = [f"{word}: {found[key]}" for word, key in (("DETAIL", b"D"), ("HINT", b"H")) if key in found]
                    return [f"{found[b'S']} {found[b'C']}: {found[b'M']}", *more]
    return ["closed"]
