"""A private PostgreSQL 15 to compare with: started in a temporary directory, on a Unix socket only.

`evaluate` runs many SQL expressions in one round trip and gives, for each, its text, None for NULL, or
("error", sqlstate, message).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

BIN = Path("/usr/lib/postgresql/15/bin")
PORT = 25433  # names the socket; nothing listens on TCP
USER = "postgres"

_TRY = """
create function pg_temp.attempt(expression text, out value text, out state text, out message text) as $$
begin
    execute 'select case when x is null then null else concat(x) end from (select ' || expression || ' as x) q'
        into value;
exception when others then
    state := sqlstate; message := sqlerrm;
end $$ language plpgsql
"""


def missing() -> str | None:
    """Why there is nothing to compare with, or None."""
    if not (BIN / "initdb").exists():
        return "no PostgreSQL 15 binaries under /usr/lib/postgresql/15/bin: nothing to compare with"
    if os.geteuid() == 0 and shutil.which("runuser") is None and shutil.which("su") is None:
        return "PostgreSQL refuses to run as root and there is no runuser"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed"
    return None


def _run(*command: str) -> None:
    prefix = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *command], check=True, capture_output=True, timeout=120)


class Oracle:
    """A connection that evaluates expressions."""

    def __init__(self, directory: str) -> None:
        import psycopg

        self.connection = psycopg.connect(host=directory, port=PORT, user=USER, dbname="postgres", autocommit=True)
        self.connection.execute(_TRY)

    def evaluate(self, expressions: Sequence[str]) -> list[object]:
        """Text, None or ("error", sqlstate, message) of each expression."""
        rows = self.connection.execute(
            "select (a).value, (a).state, (a).message from ("
            " select pg_temp.attempt(e) as a, n from unnest(%s::text[]) with ordinality u(e, n) offset 0) q order by n",
            (list(expressions),),
        ).fetchall()
        return [("error", state, message) if state is not None else value for value, state, message in rows]

    def close(self) -> None:
        self.connection.close()


@contextmanager
def running() -> Iterator[Oracle]:
    """Start the cluster, yield an Oracle, stop and remove everything."""
    directory = tempfile.mkdtemp(prefix="dsql_pg_")
    try:
        if os.geteuid() == 0:
            shutil.chown(directory, USER, USER)
        data = str(Path(directory) / "data")
        _run(str(BIN / "initdb"), "-D", data, "-E", "UTF8", "--locale=C", "-A", "trust", "-U", USER, "-N")
        options = (
            f"-p {PORT} -k {directory} -c listen_addresses= -c fsync=off -c TimeZone=UTC -c shared_buffers=8MB"
            " -c max_connections=4 -c autovacuum=off -c logging_collector=off"
        )
        _run(str(BIN / "pg_ctl"), "-D", data, "-o", options, "-l", str(Path(directory) / "log"), "-w", "start")
        try:
            oracle = Oracle(directory)
            try:
                yield oracle
            finally:
                oracle.close()
        finally:
            _run(str(BIN / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
