"""Thousands of sessions held open while fifty of them work: in clear and over TLS, the one beyond refused, memory stated.

The whole of it (10,000 in clear, 2,000 over TLS) is a soak test; the smaller form runs always.
"""

from __future__ import annotations

import contextlib
import re
import resource
import selectors
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from opendsql.endpoint import Endpoint
from tests_support import RunningServer, run_server

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_BODY = struct.pack("!i", 196608) + b"user\0admin\0database\0postgres\0\0"
STARTUP = struct.pack("!i", len(_BODY) + 4) + _BODY
READY = b"Z\0\0\0\5I"
WORKERS = 50


def statement(text: str) -> bytes:
    """A Query message."""
    return b"Q" + struct.pack("!i", len(text) + 5) + text.encode() + b"\0"


def until_ready(connection: socket.socket) -> bytes:
    """Everything up to ReadyForQuery, or the end."""
    received = b""
    while not received.endswith(READY):
        chunk = connection.recv(65536)
        if not chunk:
            break
        received += chunk
    return received


class Crowd:
    """Open sessions of one server."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.sessions: list[socket.socket] = []
        self.host = Endpoint.read(server.data).host

    def open(self, count: int, context: ssl.SSLContext | None) -> None:
        """More of them, each greeted and after one statement."""
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=60)
            if context is not None:
                connection.sendall(SSL_REQUEST)
                assert connection.recv(1) == b"S"
                connection = context.wrap_socket(connection, server_hostname=self.host)
            connection.sendall(STARTUP)
            assert until_ready(connection).endswith(READY)
            connection.sendall(statement("select 1"))
            assert until_ready(connection).endswith(READY)
            self.sessions.append(connection)

    def work(self, seconds: float) -> int:
        """Fifty of them, spread over all, run statements at once for that long; statements per second."""
        step = max(1, len(self.sessions) // WORKERS)
        chosen = self.sessions[::step][:WORKERS]
        done = 0
        with selectors.DefaultSelector() as selector:
            for connection in chosen:
                connection.sendall(statement("select n + 1 from crowd where id = 1"))
                selector.register(connection, selectors.EVENT_READ, b"")
            deadline = time.monotonic() + seconds
            left = len(chosen)
            while left:
                for key, _ in selector.select(30):
                    connection = key.fileobj
                    assert isinstance(connection, socket.socket)
                    received = key.data + connection.recv(65536)
                    if not received.endswith(READY):
                        selector.modify(connection, selectors.EVENT_READ, received)
                        continue
                    assert b"SELECT 1" in received
                    done += 1
                    if time.monotonic() < deadline:
                        selector.modify(connection, selectors.EVENT_READ, b"")
                        connection.sendall(statement("select n + 1 from crowd where id = 1"))
                    else:
                        selector.unregister(connection)
                        left -= 1
        return int(done / seconds)

    def refused(self) -> bytes:
        """The answer to one more."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as connection:
            connection.sendall(STARTUP)
            return until_ready(connection)


def pss(server: RunningServer) -> int:
    """Proportional memory of all its processes, bytes."""
    total = 0
    workers = (server.data / "workers.json").read_text()
    for pid in [server.process.pid, *map(int, re.findall(r'"pid": (\d+)', workers))]:
        with contextlib.suppress(OSError):
            total += int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1]) * 1024  # type: ignore[index]
    return total


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Crowd]:
    """A server that lets 10,000 in and offers TLS, and descriptors for the clients."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with run_server(tmp_path, "--strict", "--host-name", "localhost"):
        pass  # makes the certificate authority
    crowd = None
    try:
        with run_server(tmp_path) as server:
            crowd = Crowd(server)
            crowd.open(1, None)
            for text in ("create table crowd (id int primary key, n int)", "insert into crowd values (1, 41)"):
                crowd.sessions[0].sendall(statement(text))
                assert b"ERROR" not in until_ready(crowd.sessions[0])
            yield crowd
            for connection in crowd.sessions:
                connection.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def opened(crowd: Crowd, count: int, encrypted: bool) -> float:
    """Opens so many, lets fifty work; KiB per session."""
    context = ssl.create_default_context(cafile=str(crowd.server.data / "tls" / "ca.pem")) if encrypted else None
    crowd.work(0.5)
    before = pss(crowd.server)
    crowd.open(count, context)
    time.sleep(1)
    each = (pss(crowd.server) - before) / count / 1024
    rate = crowd.work(2)
    print(f"{count} more {'over TLS' if encrypted else 'in clear'}: {each:.1f} KiB each; {len(crowd.sessions)} open, 50 at work: {rate}/s")
    assert rate > 100
    return each


def test_hundreds(crowded: Crowd) -> None:
    """The small form."""
    assert opened(crowded, 600, False) < 64
    assert opened(crowded, 300, True) < 128


@pytest.mark.soak
def test_ten_thousand(crowded: Crowd) -> None:
    """10,000 in clear, then 2,000 of them replaced by TLS: the 10,001st is told 53300, the others go on."""
    full = b"C53300\0MUnable to accept connection, too many open connections.\0"
    assert opened(crowded, 9_999, False) < 16
    assert full in crowded.refused()
    for _ in range(2_000):
        crowded.sessions.pop().close()
    time.sleep(1)
    assert opened(crowded, 2_000, True) < 64
    assert len(crowded.sessions) == 10_000
    assert full in crowded.refused()
    assert crowded.work(2) > 100
