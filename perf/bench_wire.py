"""The wire by itself: nanoseconds of a fingerprint, statements per second of one session, memory of an idle one.

    python perf/bench_wire.py [--seconds 3]

The statements are a planner-free server's (tests/wire/wire_support.py), so neither the SQL front half nor storage is
measured: what is left is sockets, framing, fingerprint, plan cache, one result row.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "python"), str(ROOT / "tests" / "wire")]

from wire_support import Client  # noqa: E402

from dsql_core.wire.normalise import time_ns  # noqa: E402

STATEMENTS = {
    "BEGIN": b"BEGIN",
    "pgbench SELECT": b"SELECT abalance FROM pgbench_accounts WHERE aid = 12345;",
    "pgbench UPDATE": b"UPDATE pgbench_accounts SET abalance = abalance + -345 WHERE aid = 99;",
    "pgbench INSERT": b"INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (1, 2, 3, 4, CURRENT_TIMESTAMP);",
}
SERVER = """
import sys
sys.path[:0] = {path!r}
from wire_support import serving
with serving(startup_in_python=False) as s:
    print(s.port, flush=True)
    sys.stdin.readline()
"""


def resident_kib(pid: int) -> int:
    """Proportional set size of a process."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("Pss:")))


def round_trips(port: int, seconds: float) -> float:
    """Statements per second of one Python client that waits for each answer."""
    client = Client(port)
    client.startup()
    client.query("select 1, 17")
    began, count = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        client.query(f"select {count}, 17")
        count += 1
    client.close()
    return count / seconds


def pgbench(port: int, clients: int, protocol: str, seconds: float) -> float:
    """tps of a one-row SELECT of two constants."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write("\\set aid random(1, 100000)\nselect :aid, 17\n")
        script.flush()
        command = ["pgbench", "-n", "-h", "127.0.0.1", "-p", str(port), "-U", "admin", "-M", protocol, "-c", str(clients), "-T",
                   str(max(1, int(seconds))), "-f", script.name, "postgres"]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(re.search(r"tps = ([\d.]+)", found)[1])


def idle_kib(port: int, pid: int, count: int = 2000) -> float:
    """Memory per idle session that has run a statement."""
    before = resident_kib(pid)
    clients = []
    for _ in range(count):
        client = Client(port)
        client.startup()
        client.query("select 1, 17")
        clients.append(client)
    grown = (resident_kib(pid) - before) / count
    for client in clients:
        client.close()
    return grown


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3)
    seconds = parser.parse_args().seconds
    for name, text in STATEMENTS.items():
        print(f"fingerprint {name:16} {min(time_ns(text) for _ in range(5)):7.0f} ns")
    code = SERVER.format(path=[str(ROOT), str(ROOT / "python"), str(ROOT / "tests" / "wire")])
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        port = int(process.stdout.readline())
        print(f"round trips, one Python client     {round_trips(port, seconds):9.0f} /s")
        if shutil.which("pgbench"):
            for clients in (1, 8, 64):
                for protocol in ("simple", "prepared"):
                    print(f"pgbench {clients:3} clients, {protocol:9}     {pgbench(port, clients, protocol, seconds):9.0f} /s")
        print(f"idle session                       {idle_kib(port, process.pid):9.1f} KiB")
        process.stdin.close()


if __name__ == "__main__":
    main()
