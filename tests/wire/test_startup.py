"""The first packets: encryption requests, versions, refusals, passwords, cancel, limits."""

from __future__ import annotations

import socket
import struct
import threading
import time

import pytest
from opendsql.errors import DsqlError
from wire_support import Client, Running, error_of, fields, kinds, query, row, serving


def test_encryption_requests(running: Running) -> None:
    """'N' to both, then the startup goes on; also when they arrive together."""
    client = Client(running.port)
    for code in (80877103, 80877104):
        client.send(struct.pack("!ii", 8, code))
        assert client.socket.recv(1) == b"N"
    assert kinds(client.startup())[-1] == "Z"
    client.close()


def test_greeting(running: Running) -> None:
    """Parameters a driver reads, a cancel key, idle status."""
    client = Client(running.port)
    found = client.startup(application_name="tester")
    assert kinds(found).replace("S", "") == "RKZ"
    assert found[0] == ("R", b"\0\0\0\0")
    assert client.parameters["server_version"].startswith("16.")
    assert client.parameters["client_encoding"] == "UTF8"
    assert client.parameters["server_encoding"] == "UTF8"
    assert client.parameters["standard_conforming_strings"] == "on"
    assert client.parameters["integer_datetimes"] == "on"
    assert client.parameters["TimeZone"] == "UTC"
    assert client.parameters["DateStyle"] == "ISO, MDY"
    assert client.parameters["application_name"] == "tester"
    assert client.parameters["session_authorization"] == "admin"
    assert client.key != (0, 0)
    client.close()


def test_settings_in_startup(running: Running) -> None:
    """Allowed ones are reported, others are FATAL 0A000."""
    client = Client(running.port)
    client.startup(options="-c TimeZone=Europe/Berlin", DateStyle="SQL, DMY")
    assert client.parameters["TimeZone"] == "Europe/Berlin"
    assert client.parameters["DateStyle"] == "SQL, DMY"
    client.close()
    client = Client(running.port)
    error = error_of(client.startup(options="-c statement_timeout=5"))
    assert (error["S"], error["C"], error["M"]) == ("FATAL", "0A000", 'setting configuration parameter "statement_timeout" not supported')
    assert client.closed()


def test_newer_minor_version(running: Running) -> None:
    """NegotiateProtocolVersion names what is not known; the session works."""
    client = Client(running.port)
    found = client.startup(version=196610, **{"_pq_.thing": "1"})
    negotiated = next(body for kind, body in found if kind == "v")
    assert negotiated == struct.pack("!ii", 0, 1) + b"_pq_.thing\0"
    assert kinds(client.query("select 1")) == "TDCZ"
    client.close()


@pytest.mark.parametrize(
    ("packet", "state"),
    [
        (struct.pack("!ii", 8, 131072), "0A000"),
        (struct.pack("!i", 3), "08P01"),
        (struct.pack("!i", 10001), "08P01"),
        (struct.pack("!i", -1), "08P01"),
        (struct.pack("!ii", 13, 196608) + b"user\0", "08P01"),
        (struct.pack("!ii", 9, 196608) + b"\0", "28000"),
        (struct.pack("!ii", 29, 196608) + b"user\0a\0database\0xyz\0\0", "3D000"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", "08P01"),
        (b"GET / HTTP/1.1\r\n\r\n", "08P01"),
    ],
)
def test_refused_packets(running: Running, packet: bytes, state: str) -> None:
    """A FATAL with its reason, then the end."""
    client = Client(running.port)
    client.send(packet)
    error = error_of(client.until("E"))
    assert (error["S"], error["C"]) == ("FATAL", state)
    assert client.closed()
    assert kinds(running.connect().query("select 1")) == "TDCZ"


def test_password() -> None:
    """Cleartext password to the hook; its refusal is FATAL."""
    seen = []

    def authenticate(user: str, password: str | None, load_catalog: object) -> None:
        seen.append((user, password))
        if password != "right":
            raise DsqlError("28P01", f'password authentication failed for user "{user}"', hint="Try right.")

    with serving(authenticate=authenticate, password=True) as s:
        for word, last in ((b"right", "Z"), (b"wrong", "E")):
            client = Client(s.port)
            body = struct.pack("!i", 196608) + b"user\0admin\0database\0postgres\0\0"
            client.send(struct.pack("!i", len(body) + 4) + body)
            assert client.message() == ("R", b"\0\0\0\3")
            client.send(b"p" + struct.pack("!i", len(word) + 5) + word + b"\0")
            found = client.until("ZE")
            assert found[-1][0] == last
            if last == "E":
                assert fields(found[-1][1])["H"] == "Try right."
                assert client.closed()
            else:
                assert kinds(client.query("select 1")) == "TDCZ"
                client.close()
        client = Client(s.port)
        client.send(struct.pack("!i", len(body) + 4) + body)
        client.message()
        client.send(query("select 1"))
        assert error_of(client.until("E"))["C"] == "08P01"
        assert seen == [("admin", "right"), ("admin", "wrong")]


def cancel(port: int, key: tuple[int, int]) -> None:
    """A CancelRequest; returns when the server has closed the connection."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(struct.pack("!iiII", 16, 80877102, *key))
        assert connection.recv(1) == b""


def test_cancel_of_a_waiting_statement(running: Running) -> None:
    """57014; a wrong key does nothing; an idle session is not disturbed."""
    client = running.connect()
    cancel(running.port, client.key)
    client.send(query("wait 100000"))
    cancel(running.port, (client.key[0], client.key[1] ^ 1))
    # The statement must have begun: the counter of statements says so.
    before = time.monotonic()
    while running.server.counters["cancels"] == 0:
        cancel(running.port, client.key)
        assert time.monotonic() - before < 10
    found = client.until("Z")
    assert kinds(found) == "EZ"
    assert (error_of(found)["C"], error_of(found)["M"]) == ("57014", "canceling statement due to user request")
    assert kinds(client.query("select 1")) == "TDCZ"
    client.close()


def test_cancel_while_rows_wait(running: Running) -> None:
    """A statement that waits for its reader ends at once."""
    client = running.connect()
    count = running.server.counters["cancels"]
    for _ in range(8):
        client.send(query("select rows 60000"))
    before = time.monotonic()
    while running.server.counters["cancels"] == count:
        cancel(running.port, client.key)
        assert time.monotonic() - before < 10
    errors = 0
    for _ in range(8):
        errors += "E" in kinds(client.until("Z"))
    assert errors == 1
    client.close()


def test_too_many_connections() -> None:
    """53300 for those above the limit; room again when one goes."""
    with serving(connections_max=3) as s:
        clients = [s.connect() for _ in range(3)]
        extra = Client(s.port)
        error = error_of(extra.startup())
        assert (error["S"], error["C"]) == ("FATAL", "53300")
        assert error["M"] == "Unable to accept connection, too many open connections."
        assert extra.closed()
        clients.pop().close()
        deadline = time.monotonic() + 10
        while s.server.counters["connections"] > 2:
            assert time.monotonic() < deadline
        again = s.connect()
        assert kinds(again.query("select 1")) == "TDCZ"
        for client in [*clients, again]:
            client.close()


def test_rate() -> None:
    """53400 when the token bucket is empty."""
    with serving(rate_per_s=1, rate_burst=5) as s:
        results = [Client(s.port).startup()[-1] for _ in range(8)]
        assert [kind for kind, _ in results].count("Z") in (5, 6)
        refused = next(fields(body) for kind, body in results if kind == "E")
        assert (refused["C"], refused["M"]) == ("53400", "Unable to accept connection, rate exceeded.")


def test_lifetime() -> None:
    """An idle connection past its lifetime is closed; one inside a transaction may finish it."""
    with serving(lifetime_s=0.5) as s:
        idle, busy = s.connect(), s.connect()
        busy.query("begin")
        assert idle.closed()
        assert kinds(busy.query("select 1")) == "TDCZ"
        busy.query("commit")
        assert busy.closed()


def test_shutdown_tells_why() -> None:
    """57P01 to every session."""
    with serving() as s:
        client = s.connect()
    assert error_of(client.until("E"))["C"] == "57P01"
    assert client.closed()


def test_many_connections_at_once(running: Running) -> None:
    """A storm of connections, each answered."""
    ok = []

    def one() -> None:
        for _ in range(20):
            client = running.connect()
            if row(client.query("select 5")[1][1]) == [b"5"]:
                ok.append(1)
            client.close()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ok) == 160
