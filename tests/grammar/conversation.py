"""A bare connection: bytes out, messages in, every answer bounded in time.

No driver stands between, so a statement may hold any bytes, a lost connection is seen as one, and a transaction's three
statements travel in one write.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field


class Lost(Exception):
    """The server closed the connection, or did not answer in time."""


@dataclass
class Answer:
    """What came back for one statement: an error's fields, or tag and rows."""

    error: dict[str, str] = field(default_factory=dict)
    tag: str = ""
    rows: list[tuple[str | None, ...]] = field(default_factory=list)

    @property
    def sqlstate(self) -> str:
        return self.error.get("C", "")

    @property
    def message(self) -> str:
        return self.error.get("M", "")


class Conversation:
    """One session."""

    def __init__(self, port: int, user: str = "admin", seconds: float = 10.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.status = "I"
        body = struct.pack(">I", 196608) + f"user\0{user}\0database\0postgres\0\0".encode()
        self.socket.sendall(struct.pack(">I", len(body) + 4) + body)
        self.ready()

    def close(self) -> None:
        self.socket.close()

    @staticmethod
    def message(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack(">I", len(body) + 4) + body

    def _message(self) -> tuple[bytes, bytes]:
        while len(self.buffer) < 5:
            self._more()
        size = struct.unpack_from(">I", self.buffer, 1)[0] + 1
        while len(self.buffer) < size:
            self._more()
        found = self.buffer[:1], self.buffer[5:size]
        self.buffer = self.buffer[size:]
        return found

    def _more(self) -> None:
        try:
            data = self.socket.recv(1 << 16)
        except TimeoutError:
            raise Lost("no answer in time") from None
        if not data:
            raise Lost("the server closed the connection")
        self.buffer += data

    def ready(self) -> Answer:
        """Messages up to ReadyForQuery."""
        answer = Answer()
        while True:
            kind, body = self._message()
            if kind == b"E":
                parts = (part for part in body.split(b"\0") if part)
                answer.error = {part[:1].decode(): part[1:].decode(errors="replace") for part in parts}
                if answer.error.get("S") == "FATAL":
                    raise Lost(str(answer.error))
            elif kind == b"C":
                answer.tag = body[:-1].decode()
            elif kind == b"D":
                answer.rows.append(_row(body))
            elif kind == b"G":
                self.socket.sendall(self.message(b"f", b"no data\0"))
            elif kind == b"Z":
                self.status = body.decode()
                return answer

    def ask(self, text: str | bytes, params: tuple[str, ...] = ()) -> Answer:
        """One statement: a simple query, or with parameters the extended protocol."""
        self.socket.sendall(self._request(text, params))
        return self.ready()

    def _request(self, text: str | bytes, params: tuple[str, ...]) -> bytes:
        raw = text if isinstance(text, bytes) else text.encode()
        if not params:
            return self.message(b"Q", raw + b"\0")
        values = [p.encode() for p in params]
        bind = b"\0\0" + struct.pack(">HH", 0, len(values)) + b"".join(struct.pack(">I", len(v)) + v for v in values) + struct.pack(">H", 0)
        return b"".join(
            (
                self.message(b"P", b"\0" + raw + b"\0" + struct.pack(">H", 0)),
                self.message(b"B", bind),
                self.message(b"D", b"P\0"),
                self.message(b"E", b"\0" + struct.pack(">I", 0)),
                self.message(b"S", b""),
            )
        )

    def undone(self, text: str | bytes, params: tuple[str, ...] = ()) -> Answer:
        """One statement in a transaction that is rolled back; three requests in one write."""
        begin, back = self.message(b"Q", b"BEGIN\0"), self.message(b"Q", b"ROLLBACK\0")
        self.socket.sendall(begin + self._request(text, params) + back)
        self.ready()
        answer = self.ready()
        self.ready()
        return answer


def _row(body: bytes) -> tuple[str | None, ...]:
    (count,) = struct.unpack_from(">H", body)
    at = 2
    values: list[str | None] = []
    for _ in range(count):
        (size,) = struct.unpack_from(">i", body, at)
        at += 4
        if size < 0:
            values.append(None)
        else:
            values.append(body[at : at + size].decode(errors="replace"))
            at += size
    return tuple(values)
