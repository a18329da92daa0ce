"""What a server costs at rest and how fast it is back.

    python perf/footprint.py [--connections 1000] [--rows 1000000]

Prints the proportional memory of 1,000 idle connections in clear and over TLS (all processes of the server), the time from starting the command
on an empty directory to the first answer, and, for a directory of a million rows killed with -9, the time to the first
answer with the length of journal that was replayed. Exit status 1 above 64 MiB or one second.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from compare_postgres import load
from opendsql.endpoint import Endpoint
from opendsql.gateway.certificates import local_certificates
from peer import Peer, free_port, opendsql, process_tree, wait_for

STARTUP = struct.pack("!ii", 0, 196608) + b"user\0admin\0database\0postgres\0\0"
STARTUP = struct.pack("!i", len(STARTUP)) + STARTUP[4:]


def pss_bytes(root: int) -> int:
    """Proportional set size of a process tree, shared pages counted once."""
    total = 0
    for pid in process_tree(root):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def idle_connection(port: int, context: ssl.SSLContext | None = None) -> socket.socket:
    """A connection that has finished startup and one statement, over TLS when given a context."""
    connection = socket.create_connection(("127.0.0.1", port))
    if context is not None:
        connection.sendall(struct.pack("!ii", 8, 80877103))
        assert connection.recv(1) == b"S"
        connection = context.wrap_socket(connection, server_hostname="localhost")
    connection.sendall(STARTUP)
    received = b""
    while not received.endswith(b"Z\0\0\0\5I"):
        received += connection.recv(4096)
    connection.sendall(b"Q\0\0\0\x0dSELECT 1\0")
    while received.count(b"Z\0\0\0\5I") < 2:
        received += connection.recv(4096)
    return connection


def first_query(data: Path, log: Path) -> tuple[float, subprocess.Popen[bytes], int]:
    """Starts the command and returns the seconds to the first answer, the process and its port."""
    port = free_port(21500)
    started = time.monotonic()
    with log.open("ab") as sink:
        process = subprocess.Popen([sys.executable, "-m", "opendsql", "serve", "--data", str(data), "--port", str(port)], stdout=sink, stderr=sink)
    wait_for(f"host=127.0.0.1 port={port} user=admin dbname=postgres", process)
    return time.monotonic() - started, process, port


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to every process of the server at once."""
    for pid in process_tree(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def idle_memory(count: int) -> bool:
    """Prints what idle connections cost, in clear and over TLS; True when those in clear cost more than their bound."""
    with tempfile.TemporaryDirectory(prefix="footprint-") as name:
        endpoint = Endpoint("a" * 26)
        found = local_certificates(Path(name), endpoint, make=True)
        assert found is not None
        context = ssl.create_default_context(cafile=str(found.authority))
        with opendsql("--tls-cert", str(found.certificate), "--tls-key", str(found.key)) as server:
            rest = before = pss_bytes(server.process.pid)
            costs = []
            for each in (None, context):
                connections = [idle_connection(server.port, each) for _ in range(count)]
                time.sleep(1)
                after = pss_bytes(server.process.pid)
                costs.append(after - before)
                for connection in connections:
                    connection.close()
                time.sleep(1)
                before = pss_bytes(server.process.pid)
    clear, tls = (f"{cost / 2**20:.1f} MiB ({cost / count / 1024:.1f} KiB each)" for cost in costs)
    print(f"{count} idle connections: {clear}; over TLS {tls}; server at rest {rest / 2**20:.0f} MiB", flush=True)
    return costs[0] >= 64 * 2**20


def main() -> int:
    """Measures and prints; exit status 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    failed = False
    failed |= idle_memory(options.connections)
    with tempfile.TemporaryDirectory(prefix="footprint-") as name:
        directory = Path(name)
        seconds, process, port = first_query(directory / "empty", directory / "log")
        kill_all(process)
        print(f"empty directory: first answer after {seconds:.2f} s", flush=True)
        failed |= seconds >= 1
        seconds, process, port = first_query(directory / "data", directory / "log")
        loaded = load(Peer("opendsql", process, port, "admin", directory), options.rows)
        print(f"{options.rows} rows loaded in {loaded:.1f} s", flush=True)
        kill_all(process)
        seconds, process, port = first_query(directory / "data", directory / "log")
        with psycopg.connect(f"host=127.0.0.1 port={port} user=admin dbname=postgres") as connection:
            row = connection.execute("SELECT count(*) FROM pgbench_accounts").fetchone()
        status = json.loads(subprocess.run([sys.executable, "-m", "opendsql", "status", "--data", str(directory / "data"), "--json"],
                                           capture_output=True, text=True, check=True).stdout)
        kill_all(process)
        print(f"{options.rows}-row directory after kill -9: first answer after {seconds:.2f} s; {status['recovery']}; rows: {row and row[0]}")
        failed |= row is None or row[0] != options.rows
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
