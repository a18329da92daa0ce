"""What tests start: a server on a fresh directory, as a user would start it, and free ports."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg


@dataclass
class RunningServer:
    """An `opendsql serve` process."""

    process: subprocess.Popen[bytes]
    data: Path
    port: int
    log: Path
    stopped: bool = False  # by the test itself

    @property
    def dsn(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=admin dbname=postgres"


def free_port(start: int = 23000) -> int:
    """A loopback port below the kernel's ephemeral range."""
    for port in range(start + os.getpid() % 1000, 32768):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


@contextlib.contextmanager
def run_server(directory: Path, *arguments: str) -> Iterator[RunningServer]:
    """Starts a server, waits until it answers, stops it with SIGTERM; a server that dies by itself fails the test."""
    port = free_port()
    log = directory / "server.log"
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "opendsql", "serve", "--data", str(directory / "data"), "--port", str(port), *arguments],
            stdout=sink, stderr=sink,
        )
    running = RunningServer(process, directory / "data", port, log)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(running.dsn, connect_timeout=5).close()
                break
            except psycopg.OperationalError as error:
                if "no password supplied" in str(error) or "unable to accept connection" in str(error):
                    break  # it serves, and wants a token or TLS
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"no server: {log.read_text()[-4000:]}") from None
                time.sleep(0.02)
        yield running
        assert running.stopped or process.poll() is None, log.read_text()[-4000:]
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


