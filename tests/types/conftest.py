"""Oracle: a private PostgreSQL 15 cluster that says what a value should print as, or why it is refused.

The cluster lives in a temporary directory on a port below 32768, runs as an unprivileged user and is stopped at the
end of the session. Tests that need it skip with a message when the binaries are absent.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

BINARIES = Path("/usr/lib/postgresql/15/bin")


class Oracle:
    """One connection to the cluster; every question is its own transaction."""

    def __init__(self, connection) -> None:
        self.connection = connection

    def ask(self, sql: str, *params: object) -> str:
        """The single text result of a query, "NULL", or "sqlstate: message" of its error."""
        import psycopg

        try:
            row = self.connection.execute(sql, params or None).fetchone()
        except psycopg.Error as error:
            return f"{error.sqlstate}: {error.diag.message_primary}"
        return "NULL" if row[0] is None else row[0]

    def cast(self, type_name: str, text: str) -> str:
        """What a text prints as after being read as a type."""
        return self.ask(f"SELECT (%s::text)::{type_name}::text", text)

    def run(self, sql: str) -> None:
        """A statement without result, such as SET."""
        self.connection.execute(sql)


def _free_port() -> int:
    for port in range(21000, 32000, 7):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError("no free port")


def _as_unprivileged(command: list[str]) -> list[str]:
    if os.getuid() != 0:
        return command
    nobody = pwd.getpwnam("nobody")
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", *command]


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """A PostgreSQL 15 to compare with."""
    if not (BINARIES / "initdb").exists():
        pytest.skip(f"no PostgreSQL 15 under {BINARIES}: golden values only")
    psycopg = pytest.importorskip("psycopg")
    root = Path(tempfile.mkdtemp(prefix="oracle-"))
    data = root / "data"
    port = _free_port()
    if os.getuid() == 0:
        shutil.chown(root, "nobody")
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        subprocess.run(
            _as_unprivileged(
                [
                    str(BINARIES / "initdb"),
                    "-D",
                    str(data),
                    "-U",
                    "tester",
                    "-E",
                    "UTF8",
                    "--locale=C",
                    "-A",
                    "trust",
                    "--no-sync",
                ]
            ),
            check=True,
            capture_output=True,
            env=environment,
        )
        subprocess.run(
            _as_unprivileged(
                [
                    str(BINARIES / "pg_ctl"),
                    "-D",
                    str(data),
                    "-w",
                    "-l",
                    str(root / "log"),
                    "-o",
                    f"-p {port} -k {root} -c listen_addresses=127.0.0.1 -c fsync=off -c timezone=UTC",
                    "start",
                ]
            ),
            check=True,
            capture_output=True,
            env=environment,
        )
        try:
            with psycopg.connect(
                host="127.0.0.1", port=port, user="tester", dbname="postgres", autocommit=True
            ) as link:
                link.execute("SET extra_float_digits = 1")
                yield Oracle(link)
        finally:
            subprocess.run(
                _as_unprivileged([str(BINARIES / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop"]),
                check=False,
                capture_output=True,
            )
    finally:
        shutil.rmtree(root, ignore_errors=True)
