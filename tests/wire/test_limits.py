"""Limits of connections over several workers, lifetimes on a driven clock, and the end of a server that lets work finish."""

from __future__ import annotations

import contextlib
import struct
import threading
import time
from collections.abc import Iterator

import pytest
from wire_support import SYNC, Client, Running, bind, error_of, execute, kinds, packet, parse, query, serving

from dsql_core.shared import SharedMemory
from dsql_core.wire import COUNTER_BYTES


@contextlib.contextmanager
def two_workers(**options: float) -> Iterator[list[Running]]:
    """Two loops that count connections together."""
    counters, rate = SharedMemory(4096), SharedMemory(8)
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                serving(worker_id=i, counters=(counters, i * COUNTER_BYTES), fleet=(counters, 0, 2), rate=(rate, 0), **options)
            )
            for i in range(2)
        ]


def outcome(worker: Running) -> tuple[Client, str]:
    """A connection and what it was told: "" = welcome."""
    client = Client(worker.port)
    found = client.startup()
    return client, "" if found[-1][0] == "Z" else error_of(found)["C"]


def test_count_over_workers() -> None:
    """n and n + 1, wherever they come in."""
    with two_workers(connections_max=5) as workers:
        kept = [outcome(workers[i % 2]) for i in range(5)]
        assert [state for _, state in kept] == [""] * 5
        for worker in workers:
            client, state = outcome(worker)
            assert state == "53300" and client.closed()
        kept.pop()[0].close()
        deadline = time.monotonic() + 10
        while outcome(workers[1])[1] != "":
            assert time.monotonic() < deadline


def test_rate_over_workers() -> None:
    """One bucket: its burst once, then its rate."""
    with two_workers(rate_per_s=1, rate_burst=6) as workers:
        states = [outcome(workers[i % 2])[1] for i in range(10)]
        assert states[:6] == [""] * 6 and set(states[7:]) == {"53400"}


def test_rate_refills() -> None:
    """20 a second: after the burst, one each 50 ms, never more than the burst."""
    with serving(rate_per_s=20, rate_burst=3) as s:
        time.sleep(0.5)
        states = [outcome(s)[1] for _ in range(5)]
        assert states.count("") in (3, 4)
        time.sleep(0.3)
        states = [outcome(s)[1] for _ in range(5)]
        assert states.count("") in (3, 4)


def test_refused_before_it_counts() -> None:
    """Neither a cancel nor a request for encryption takes a token."""
    with serving(rate_per_s=1, rate_burst=2) as s:
        for _ in range(5):
            client = Client(s.port)
            client.send(struct.pack("!iiII", 16, 80877102, 1, 1))
            assert client.closed()
            client = Client(s.port)
            client.send(struct.pack("!ii", 8, 80877103))
            assert client.socket.recv(1) == b"N"
            client.close()
        assert [outcome(s)[1] for _ in range(2)] == ["", ""]


# -- lifetime ----------------------------------------------------------------------------------------------------------


def test_sixty_minutes() -> None:
    """59:50 alive, 60:01 gone without a word; a transaction begun before may use its five minutes, and not more."""
    with serving(lifetime_s=3600) as s:
        idle, short, long = (s.connect() for _ in range(3))
        s.server.advance(3590)
        time.sleep(1.2)
        assert kinds(idle.query("select 1")) == "TDCZ"
        assert kinds(short.query("begin")) == kinds(long.query("begin")) == "CZ"
        s.server.advance(12)
        with pytest.raises((EOFError, ConnectionError)):
            idle.until("E")
        fresh = s.connect()
        assert kinds(short.query("select 1")) == "TDCZ"
        found = short.query("commit")
        assert kinds(found) == "CZ"
        with pytest.raises((EOFError, ConnectionError)):
            short.until("E")
        s.server.advance(290)
        time.sleep(0.2)
        assert kinds(long.query("select 1")) == "TDCZ"
        s.server.advance(10)
        with pytest.raises((EOFError, ConnectionError)):
            long.until("E")
        fresh.close()


# -- the end -----------------------------------------------------------------------------------------------------------


def told(client: Client) -> None:
    """57P01, then the end."""
    error = error_of(client.until("E"))
    assert (error["S"], error["C"], error["M"]) == ("FATAL", "57P01", "terminating connection due to administrator command")
    assert client.closed()


def test_drain() -> None:
    """Idle sessions go at once, a transaction and a statement finish first; the loop ends with the last of them."""
    with serving() as s:
        idle, inside, running, copying, between = (s.connect() for _ in range(5))
        unborn = Client(s.port)
        assert kinds(inside.query("begin")) == "CZ"
        inside.query("put key 1")
        running.send(query("wait 100"))
        copying.send(query("copy in"))
        assert copying.message()[0] == "G"
        between.send(parse("select $1", oids=(23,)) + bind([b"8"]) + execute() + packet("H"))
        between.until("C")  # executed, not yet synced: its transaction is open
        s.server.drain(10)
        told(idle)
        assert unborn.closed()
        assert kinds(inside.query("select 1")) == "TDCZ"
        between.send(SYNC)
        assert kinds(between.until("Z")) == "Z"
        told(between)
        copying.send(packet("d", b"1\ta\n") + packet("c"))
        assert kinds(copying.until("Z")) == "CZ"
        told(copying)
        assert kinds(running.until("Z")) == "CZ"
        told(running)
        assert s.server.running
        found = inside.query("commit")
        assert kinds(found) == "CZ" and found[0][1] == b"COMMIT\0"
        told(inside)
        deadline = time.monotonic() + 5
        while s.server.running:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert len(s.commits) == 1


def test_drain_has_an_end() -> None:
    """Who does not finish in time is told, too."""
    with serving() as s:
        inside = s.connect()
        inside.query("begin")
        started = time.monotonic()
        s.server.drain(0.5)
        told(inside)
        assert 0.4 < time.monotonic() - started < 5


def test_drain_of_busy_sessions() -> None:
    """Clients that never pause: every statement sent gets its answer or 57P01, none is lost without a word."""
    with serving() as s:
        ends: list[str] = []

        def work() -> None:
            client = s.connect()
            while True:
                client.send(query("put key 1"))
                found = client.until("ZE")
                if found[-1][0] == "E":
                    ends.append(error_of(found)["C"])
                    return

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        s.server.drain(10)
        for thread in threads:
            thread.join(10)
        assert ends == ["57P01"] * 8
