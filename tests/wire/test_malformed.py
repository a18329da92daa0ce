"""Bad input: whatever arrives, the server lives, other sessions do not notice, and nothing is left behind."""

from __future__ import annotations

import random
import socket
import struct

import pytest
from wire_support import SYNC, Client, Running, bind, error_of, execute, kinds, packet, parse, query, row


def alive(running: Running) -> None:
    """A new session works."""
    client = running.connect()
    assert row(client.query("select 42")[1][1]) == [b"42"]
    client.close()


@pytest.mark.parametrize("length", [0, 3, -1, -2**31])
def test_invalid_length(running: Running, length: int) -> None:
    """08P01 invalid message length, then the end."""
    client = running.connect()
    client.send(b"Q" + struct.pack("!i", length) + b"select 1\0")
    error = error_of(client.until("E"))
    assert (error["S"], error["C"], error["M"]) == ("FATAL", "08P01", "invalid message length")
    assert client.closed()
    alive(running)


@pytest.mark.parametrize("length", [10485761, 2**31 - 1])
def test_message_over_the_limit(running: Running, length: int) -> None:
    """The connection ends without a word, after what was answered."""
    client = running.connect()
    client.send(query("select 1") + b"Q" + struct.pack("!i", length) + b"select 2\0")
    assert kinds(client.until("Z")) == "TDCZ"
    with pytest.raises((EOFError, ConnectionError)):
        client.message()
    alive(running)


def test_long_small_message(running: Running) -> None:
    """Messages that are short by nature may not be long."""
    client = running.connect()
    client.send(b"S" + struct.pack("!i", 20000))
    assert error_of(client.until("E"))["M"] == "invalid message length"
    assert client.closed()


def test_unknown_kind(running: Running) -> None:
    """FATAL, as PostgreSQL words it."""
    client = running.connect()
    client.send(packet("?"))
    assert error_of(client.until("E"))["M"] == "invalid frontend message type 63"
    assert client.closed()


def test_missing_zero(running: Running) -> None:
    """A Query without its end is an error, not a guess."""
    client = running.connect()
    client.send(packet("Q", b"select 1"))
    assert error_of(client.until("Z"))["C"] == "08P01"
    assert kinds(client.query("select 1")) == "TDCZ"
    client.close()


def test_copy_messages_outside_copy(running: Running) -> None:
    """Ignored, per protocol."""
    client = running.connect()
    client.send(packet("d", b"x") + packet("c") + packet("f", b"x\0") + query("select 1"))
    assert kinds(client.until("Z")) == "TDCZ"
    client.close()


def test_byte_by_byte(running: Running) -> None:
    """A message may arrive in any pieces."""
    client = running.connect()
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in query("select 1; select 2") + parse("select 3") + bind() + execute() + SYNC:
        client.send(bytes([byte]))
    assert kinds(client.until("Z")) == "TDCTDCZ"
    assert kinds(client.until("Z")) == "12DCZ"
    client.close()


def test_half_close(running: Running) -> None:
    """A client that says all and shuts its side still gets its answers."""
    client = running.connect()
    client.send(query("select 1") + query("select 2"))
    client.socket.shutdown(socket.SHUT_WR)
    assert kinds(client.until("Z")) == "TDCZ"
    assert kinds(client.until("Z")) == "TDCZ"
    assert client.closed()


def test_vanishing_clients(running: Running) -> None:
    """Closing at any point: in a transaction, while a plan is made, while a statement waits or sends."""
    for text in ("begin", "select 1", "put a 1", "wait 20", "select rows 3000", "copy in", "begin; put a 1; wait 5", "fail"):
        for _ in range(5):
            client = running.connect()
            client.send(query(text))
            client.close()
    for _ in range(20):
        client = Client(running.port)
        client.send(b"\0\0")
        client.close()
    alive(running)


def frontend(rng: random.Random) -> bytes:
    """A message that is right, nearly right, or noise."""
    good = [
        query("select 1"), query("select 1; fail; select 2"), query("begin"), query("commit"), query("rollback"), parse("select $1"),
        parse("select 2", "s"), bind([b"1"]), bind([], "s", "p"), bind([b"x", None]), execute(), execute("p", 1), packet("D", b"S\0"),
        packet("D", b"Pp\0"), packet("C", b"Ss\0"), packet("C", b"Pp\0"), SYNC, SYNC, packet("H"), packet("d", b"1\ta\n"), packet("c"),
        packet("f", b"no\0"), query("copy in"), query("put a 1"), query("select rows 50"), packet("F", b"\0\0\0\1"), query("notice"),
    ]  # fmt: skip
    message = bytearray(rng.choice(good))
    luck = rng.random()
    if luck < 0.25:
        for _ in range(rng.randint(1, 4)):
            message[rng.randrange(5, len(message)) if len(message) > 5 else 0] = rng.randrange(256)
    elif luck < 0.30:
        message[rng.randrange(len(message))] = rng.randrange(256)
    elif luck < 0.35:
        message = message[: rng.randrange(len(message))]
    elif luck < 0.38:
        message = bytearray(rng.randbytes(rng.randint(1, 60)))
    return bytes(message)


@pytest.mark.parametrize("seed", range(150))
def test_fuzz(running: Running, seed: int) -> None:
    """Random conversations; the server answers or closes, and serves the next one."""
    rng = random.Random(seed)
    client = running.connect()
    try:
        for _ in range(rng.randint(1, 25)):
            client.send(frontend(rng))
            if rng.random() < 0.2:
                client.socket.settimeout(0.02)
                try:
                    client.message()
                except TimeoutError:
                    pass
                client.socket.settimeout(20)
    except (ConnectionError, EOFError):
        pass
    client.close()
    if seed % 10 == 0:
        alive(running)


def test_nothing_left(running: Running) -> None:
    """After all that no connection is held."""
    for _ in range(1000):
        if running.server.counters["connections"] == 0:
            break
        alive(running)
    assert running.server.counters["connections"] <= 1
