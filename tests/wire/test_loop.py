"""The loop beyond one session: workers side by side, no descriptors left, idle memory, a busy Python thread."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from wire_support import SYNC, Client, bind, error_of, execute, kinds, parse, query, row, serving

from dsql_core.shared import DoorbellHandle, SharedMemory
from dsql_core.wire import COUNTER_BYTES, read_counters

HERE = Path(__file__).parent


def test_cancel_through_another_worker() -> None:
    """A CancelRequest that reaches the wrong worker is passed on."""
    words = SharedMemory(4096)
    bells = [DoorbellHandle(), DoorbellHandle()]
    with contextlib.ExitStack() as stack:
        first, second = (
            stack.enter_context(serving(worker_id=i, bell=bells[i], cancel=(words, 0, 2), peers=[bells[0] if i else None, None if i else bells[1]]))
            for i in range(2)
        )
        client = second.connect()
        assert client.key[0] >> 20 == 1
        client.send(query("wait 100000"))
        deadline = time.monotonic() + 10
        while second.server.counters["cancels"] == 0:
            with socket.create_connection(("127.0.0.1", first.port)) as connection:
                connection.sendall(b"\0\0\0\x10\x04\xd2\x16\x2e" + client.key[0].to_bytes(4, "big") + client.key[1].to_bytes(4, "big"))
                assert connection.recv(1) == b""
            assert time.monotonic() < deadline
        assert error_of(client.until("Z"))["C"] == "57014"
        client.close()


def test_counters_in_shared_memory() -> None:
    """Another view of the segment reads what the loop counts."""
    memory = SharedMemory(4096)
    with serving(counters=(memory, COUNTER_BYTES)) as s:
        client = s.connect()
        client.query("select 1")
        client.query("put a 1")
        client.query("fail")
        found = read_counters(memory, COUNTER_BYTES)
        assert (found["connections"], found["accepted"]) == (1, 1)
        assert (found["statements"], found["commits"], found["errors"], found["rows"]) == (3, 1, 1, 1)
        client.close()


def test_deallocate_all() -> None:
    """Every prepared statement of the session goes."""
    with serving() as s:
        client = s.connect()
        client.send(parse("select 1", "a") + parse("select 2", "b") + SYNC)
        client.until("Z")
        assert kinds(client.query("deallocate all")) == "CZ"
        for name in "ab":
            client.send(bind([], name) + execute() + SYNC)
            assert error_of(client.until("Z"))["C"] == "26000"
        client.close()


SERVER = """
import resource, sys, time
sys.path[:0] = [{here!r}]
from wire_support import serving
resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit}))
with serving({options}) as s:
    print(s.port, flush=True)
    {extra}
    sys.stdin.readline()
    print(s.server.counters["accepted"], flush=True)
"""


@contextlib.contextmanager
def server_process(limit: int, options: str = "", extra: str = "pass"):
    """A server in its own process: (process, port)."""
    code = SERVER.format(here=str(HERE), limit=limit, options=options, extra=extra)
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process, int(process.stdout.readline())
        process.stdin.write("\n")
        process.stdin.close()
        process.wait(20)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_no_descriptors_left() -> None:
    """It neither spins nor stops: those connected are served, the next ones when a descriptor is free."""
    with server_process(64) as (process, port):
        clients: list[Client] = []
        waiting: list[Client] = []
        for _ in range(80):
            client = Client(port)
            client.socket.settimeout(0.3 if len(waiting) < 3 else 0.01)
            try:
                client.startup()
                client.socket.settimeout(20)
                clients.append(client)
            except TimeoutError:
                client.socket.settimeout(20)
                waiting.append(client)
        assert len(clients) > 20
        assert len(waiting) > 10
        before, began = cpu_seconds(process.pid), time.monotonic()
        while time.monotonic() - began < 1.0:
            assert row(clients[0].query("select 5")[1][1]) == [b"5"]
            threading.Event().wait(0.05)
        assert cpu_seconds(process.pid) - before < 0.5
        for client in clients[5:]:
            client.close()
        assert waiting[0].until("ZE")[-1][0] == "Z"
        for client in [*clients[:5], *waiting]:
            client.close()


def resident_kib(pid: int) -> int:
    """Proportional set size."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("Pss:")))


def test_idle_sessions_are_small() -> None:
    """Well under 10 KiB each, also after they have worked."""
    with server_process(20000, "startup_in_python=False") as (process, port):
        first = Client(port)
        first.startup()
        first.query("select 1")
        before = resident_kib(process.pid)
        clients = []
        for _ in range(1000):
            client = Client(port)
            client.startup()
            clients.append(client)
        for client in clients:
            client.query("select 1")
            client.query("begin")
            client.query("commit")
        grown = (resident_kib(process.pid) - before) / 1000
        assert grown < 8, f"{grown} KiB"
        for client in [first, *clients]:
            client.close()


def test_busy_python_thread_does_not_stop_the_loop() -> None:
    """Cached statements are served while a pure-Python thread holds the GIL whenever it can.

    A loop that took the GIL per statement would wait a switch interval (5 ms) each time: at most 200 a second.
    """
    extra = "import threading; threading.Thread(target=lambda: [0 for _ in iter(int, 1)], daemon=True).start()"
    with server_process(1024, "startup_in_python=False", extra) as (process, port):
        client = Client(port)
        client.startup()
        client.query("select 1")
        began = time.monotonic()
        for number in range(3000):
            assert row(client.query(f"select {number}")[1][1]) == [str(number).encode()]
        elapsed = time.monotonic() - began
        client.close()
        process.kill()
        assert elapsed < 5, f"{3000 / elapsed:.0f} statements/s"
