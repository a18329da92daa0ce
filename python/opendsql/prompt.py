"""`opendsql sql`: a prompt on a running server, with nothing but the standard library.

Speaks the simple query protocol (format of the messages: PostgreSQL documentation, "Message Formats"). Statements end
with a semicolon; \\q or end of input leaves. psql does much more; this one is always there.

Of a data directory that has its own certificate authority (`serve --strict`) TLS is tried, with the cluster's host name and
that authority. A server that asks for a password gets PGPASSWORD, or a token made from the directory's access keys.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from opendsql.endpoint import Endpoint
from opendsql.errors import OperatorError
from opendsql.gateway.iam.issue import issue

SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class SimpleClient:
    """One connection that runs statements by the simple query protocol."""

    def __init__(self, host: str, port: int, data: Path, user: str = "admin") -> None:
        try:
            self.socket = encrypted(socket.create_connection((host, port), timeout=10), data)
        except ssl.SSLError as error:
            raise OperatorError(f"TLS with {host}:{port} failed: {error.reason or error}") from None
        except OSError as error:
            raise OperatorError(f"no server at {host}:{port}: {error.strerror or error}") from None
        self.socket.settimeout(None)
        body = struct.pack("!i", 196608) + f"user\0{user}\0database\0postgres\0application_name\0opendsql sql\0\0".encode()
        self.socket.sendall(struct.pack("!i", len(body) + 4) + body)
        self.reader = self.socket.makefile("rb")
        self.in_transaction = False
        for kind, payload in self.messages():
            if kind == b"E":
                raise OperatorError(error_text(payload))
            if kind == b"R" and payload == struct.pack("!i", 3):
                password = (os.environ.get("PGPASSWORD") or issue(data, user=user)).encode() + b"\0"
                self.socket.sendall(b"p" + struct.pack("!i", len(password) + 4) + password)

    def messages(self) -> Iterator[tuple[bytes, bytes]]:
        """Messages up to and including ReadyForQuery."""
        while True:
            head = self.reader.read(5)
            if len(head) < 5:
                raise OperatorError("the server closed the connection")
            kind, size = struct.unpack("!ci", head)
            payload = self.reader.read(size - 4)
            if kind == b"Z":
                self.in_transaction = payload != b"I"
                return
            yield kind, payload

    def run(self, sql: str) -> Iterator[str]:
        """Runs a string of statements; yields lines to print. Errors are lines that start with ERROR."""
        text = sql.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!i", len(text) + 4) + text)
        names: list[str] = []
        rows: list[list[str]] = []
        for kind, payload in self.messages():
            if kind == b"T":
                names, rows = column_names(payload), []
            elif kind == b"D":
                rows.append(data_row(payload))
            elif kind == b"C":
                yield from table(names, rows)
                names, rows = [], []
                yield payload.rstrip(b"\0").decode()
            elif kind in (b"E", b"N"):
                yield error_text(payload)


def encrypted(plain: socket.socket, data: Path) -> socket.socket:
    """The connection under TLS when the directory has an authority and the server offers it."""
    authority = data / "tls" / "ca.pem"
    if not authority.exists():
        return plain
    plain.sendall(SSL_REQUEST)
    if plain.recv(1) != b"S":
        return plain
    return ssl.create_default_context(cafile=str(authority)).wrap_socket(plain, server_hostname=Endpoint.read(data).host)


def column_names(payload: bytes) -> list[str]:
    """Names in a RowDescription."""
    (count,) = struct.unpack_from("!h", payload)
    at, names = 2, []
    for _ in range(count):
        end = payload.index(b"\0", at)
        names.append(payload[at:end].decode())
        at = end + 19
    return names


def data_row(payload: bytes) -> list[str]:
    """Values of a DataRow as text; NULL is the empty string."""
    (count,) = struct.unpack_from("!h", payload)
    at, values = 2, []
    for _ in range(count):
        (size,) = struct.unpack_from("!i", payload, at)
        at += 4
        values.append("" if size < 0 else payload[at : at + size].decode())
        at += max(size, 0)
    return values


def error_text(payload: bytes) -> str:
    """Severity, message, detail and hint of an ErrorResponse or NoticeResponse."""
    fields = {chr(part[0]): part[1:].decode() for part in payload.split(b"\0") if part}
    lines = [f"{fields.get('S', 'ERROR')}:  {fields.get('M', '')} (SQLSTATE {fields.get('C', '')})"]
    lines += [f"{name}:  {fields[key]}" for key, name in (("D", "DETAIL"), ("H", "HINT")) if key in fields]
    return "\n".join(lines)


def table(names: list[str], rows: list[list[str]]) -> Iterator[str]:
    """Rows under their names, padded."""
    if not names:
        return
    widths = [max(len(name), *(len(row[i]) for row in rows)) if rows else len(name) for i, name in enumerate(names)]
    yield " | ".join(name.ljust(width) for name, width in zip(names, widths, strict=True))
    yield "-+-".join("-" * width for width in widths)
    for row in rows:
        yield " | ".join(value.ljust(width) for value, width in zip(row, widths, strict=True))


def prompt(host: str, port: int, data: Path, statements: Sequence[str] | None) -> int:
    """Runs the given statements, or reads them from standard input; 1 when one of them failed."""
    client = SimpleClient(host, port, data)
    failed = False

    def run(sql: str) -> bool:
        bad = False
        for line in client.run(sql):
            bad |= line.startswith(("ERROR", "FATAL"))
            print(line, file=sys.stderr if bad else sys.stdout)
        return bad

    if statements:
        for sql in statements:
            failed |= run(sql)
        return int(failed)
    pending = ""
    while True:
        if sys.stdin.isatty():
            mark = "-" if pending else ("*" if client.in_transaction else "=")
            try:
                line = input(f"dsql{mark}> ")
            except EOFError:
                return int(failed)
        else:
            line = sys.stdin.readline()
            if not line:
                return int(run(pending) or failed) if pending.strip() else int(failed)
        if line.strip() in ("\\q", "exit", "quit") and not pending.strip():
            return int(failed)
        pending += line.rstrip("\n") + "\n"
        if pending.rstrip().endswith(";"):
            failed |= run(pending)
            pending = ""
