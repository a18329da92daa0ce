"""`serve --strict` with unmodified clients: verified TLS, classic and direct, tokens; refusals; how a server ends."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psycopg
import pytest
from opendsql.endpoint import Endpoint
from psycopg import errors
from tests_support import RunningServer, run_server


class Strict:
    """A strict server, its names, its authority, its tokens."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.endpoint = Endpoint.read(server.data)
        self.authority = server.data / "tls" / "ca.pem"

    def token(self, *arguments: str) -> str:
        """`opendsql token`."""
        command = [sys.executable, "-m", "opendsql", "token", "--data", str(self.server.data), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def connect(self, **changes: str) -> psycopg.Connection:
        """As AWS's connectors do: verify-full at the cluster's host name, a token for password."""
        given = {
            "host": self.endpoint.host, "hostaddr": "127.0.0.1", "port": str(self.server.port), "user": "admin", "dbname": "postgres",
            "sslmode": "verify-full", "sslrootcert": str(self.authority), "password": changes.get("password") or self.token(),
        }  # fmt: skip
        return psycopg.connect(autocommit=True, **{**given, **changes})  # type: ignore[arg-type]

    def refused(self, **changes: str) -> str:
        """What a refused connection is told."""
        with pytest.raises(psycopg.OperationalError) as caught:
            self.connect(password="none", **changes).close()
        return str(caught.value)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strict]:
    """One that also answers to localhost."""
    with run_server(tmp_path_factory.mktemp("strict"), "--strict", "--host-name", "localhost") as server:
        yield Strict(server)


@pytest.mark.parametrize("negotiation", ["postgres", "direct"])
def test_psycopg(strict: Strict, negotiation: str) -> None:
    """verify-full, both ways to begin; big results and COPY both ways."""
    if negotiation == "direct" and psycopg.pq.version() < 170000:
        pytest.fail("the tests need a libpq that knows direct TLS")
    with strict.connect(sslnegotiation=negotiation) as connection:
        assert connection.pgconn.ssl_in_use
        connection.execute(f"create table tls_{negotiation} (id int primary key, v text)")
        with connection.cursor().copy(f"copy tls_{negotiation} from stdin") as copy:
            for i in range(2500):
                copy.write_row((i, "x" * (i % 3000)))
        found = connection.execute(f"select id, v from tls_{negotiation} order by id").fetchall()
        assert found == [(i, "x" * (i % 3000)) for i in range(2500)]
        with connection.cursor().copy(f"copy tls_{negotiation} to stdout") as copy:
            assert sum(len(bytes(chunk)) for chunk in copy) > 2500 * 1200


def test_psycopg_require(strict: Strict) -> None:
    """sslmode=require does not look at the name, the server does."""
    with strict.connect(sslmode="require", sslrootcert="", host="localhost") as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    with strict.connect(host="127.0.0.1", options=f"-c amzn-cluster-id={strict.endpoint.cluster_id}") as connection:
        assert connection.execute("select current_user").fetchone() == ("admin",)


def test_refusals(strict: Strict) -> None:
    """Plain, no SNI, another cluster's name, another authority, an untrusted name."""
    assert "unable to accept connection, SSL is mandatory. AWS Authentication is required." in strict.refused(sslmode="disable")
    assert "unable to accept connection, sni was not received" in strict.refused(host="127.0.0.1")
    assert "unable to accept connection, sni was not received" in strict.refused(sslsni="0")
    other = strict.refused(host="z" * 26 + ".dsql.us-east-1.on.aws", sslmode="require", sslrootcert="")
    assert "unable to accept connection, access denied" in other and "not an endpoint of this cluster" in other
    assert "certificate" in strict.refused(sslrootcert="system")
    assert "does not match host name" in strict.refused(host="z" * 26 + ".dsql.us-east-1.on.aws")
    assert "unable to accept connection, access denied" in strict.refused()


def test_asyncpg(strict: Strict) -> None:
    """Its own TLS over asyncio, classic and direct."""

    async def one(direct: bool) -> int:
        context = ssl.create_default_context(cafile=str(strict.authority))
        if direct:
            context.set_alpn_protocols(["postgresql"])
        connection = await asyncpg.connect(
            host="localhost", port=strict.server.port, user="admin", database="postgres", ssl=context, direct_tls=direct,
            password=strict.token(),
        )  # fmt: skip
        try:
            rows = await connection.fetch("select g, repeat('y', 1000) from generate_series(1, 20000) as g")
            return len(rows)
        finally:
            await connection.close()

    assert [asyncio.run(one(direct)) for direct in (False, True)] == [20000, 20000]


def test_psql(strict: Strict) -> None:
    """PGSSLROOTCERT, as the log line says."""
    environment = {**os.environ, "PGSSLROOTCERT": str(strict.authority), "PGPASSWORD": strict.token()}
    target = f"host={strict.endpoint.host} hostaddr=127.0.0.1 port={strict.server.port} user=admin dbname=postgres sslmode=verify-full"
    done = subprocess.run(["psql", target, "-Atc", "select 6 * 7"], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("42\n", "")
    log = strict.server.log.read_text()
    assert f"clients trust {strict.authority}" in log
    assert f"strict: TLS and token required; host {strict.endpoint.host}, localhost" in log


def test_given_certificates(strict: Strict, tmp_path: Path) -> None:
    """--tls-cert and --tls-key without --strict: offered, not required; files that do not fit end in one line."""
    files = ["--tls-cert", str(strict.server.data / "tls" / "server.pem"), "--tls-key", str(strict.server.data / "tls" / "server.key")]
    with run_server(tmp_path, *files) as server:
        for mode in ("disable", "require"):
            with psycopg.connect(server.dsn, sslmode=mode) as connection:
                assert connection.pgconn.ssl_in_use == (mode == "require")
        assert "no token required; TLS offered, not required (--strict requires both)" in server.log.read_text()
    command = [sys.executable, "-m", "opendsql", "serve", "--data", str(tmp_path / "other"), "--port", str(server.port)]
    for wrong, reason in ((["--tls-cert", files[1]], "go together"), ([*files[:3], files[1]], "server.pem")):
        done = subprocess.run([*command, *wrong], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and reason in done.stderr and done.stderr.count("\n") == 1


def test_limits_from_the_command_line(tmp_path: Path) -> None:
    """n and n + 1 connections; the bucket; a lifetime of a second."""
    with run_server(tmp_path, "--connections-max", "4", "--connection-rate", "1", "--connection-burst", "12", "--connection-lifetime", "2") as server:
        kept = [psycopg.connect(server.dsn) for _ in range(4)]
        with pytest.raises(psycopg.OperationalError, match="Unable to accept connection, too many open connections"):
            psycopg.connect(server.dsn)
        deadline = time.monotonic() + 10
        while any(not connection.closed for connection in kept):
            for connection in kept:
                try:
                    connection.execute("select 1")
                    connection.rollback()
                except psycopg.OperationalError:
                    connection.close()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        with pytest.raises(psycopg.OperationalError, match="Unable to accept connection, rate exceeded"):
            for _ in range(20):
                psycopg.connect(server.dsn).close()


@pytest.mark.parametrize("topology", ["fused", "split"])
def test_sigterm_lets_work_finish(tmp_path: Path, topology: str) -> None:
    """A COMMIT sent after SIGTERM is answered; whatever was acknowledged is there afterwards, and nothing ended without a word."""
    acknowledged: list[int] = []
    ends: list[str] = []
    with run_server(tmp_path, "--topology", topology, "--query-workers", "2") as server:
        with psycopg.connect(server.dsn, autocommit=True) as setup:
            setup.execute("create table kept (id int primary key)")
        idle, inside = (psycopg.connect(server.dsn, autocommit=True) for _ in range(2))
        inside.execute("begin")
        inside.execute("insert into kept values (-1)")

        def work(start: int) -> None:
            with psycopg.connect(server.dsn, autocommit=True) as connection:
                for i in range(start, start + 1_000_000):
                    try:
                        connection.execute("insert into kept values (%s)", (i,))
                    except psycopg.OperationalError as error:
                        ends.append(error.sqlstate or str(error))
                        return
                    acknowledged.append(i)

        threads = [threading.Thread(target=work, args=(i * 1_000_000,)) for i in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        server.stopped = True
        server.process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(15)
        # libpq makes a notice of a 57P01 that comes with the last answer and then finds the end: both are 57P01 on the wire.
        assert len(ends) == 6 and all(end == "57P01" or "server closed the connection" in end for end in ends), ends
        with pytest.raises(errors.AdminShutdown):
            idle.execute("select 1")
        with pytest.raises(psycopg.OperationalError, match="refused"):
            psycopg.connect(server.dsn)
        assert server.process.poll() is None
        inside.execute("insert into kept values (-2)")
        assert inside.execute("commit").statusmessage == "COMMIT"
        time.sleep(0.2)
        with pytest.raises(errors.AdminShutdown):
            inside.execute("select 1")
        assert server.process.wait(15) == 0
        for connection in (idle, inside):
            connection.close()
        with run_server(tmp_path, "--topology", topology) as again, psycopg.connect(again.dsn) as connection:
            found = {row[0] for row in connection.execute("select id from kept").fetchall()}
            assert {-1, -2, *acknowledged} <= found and len(acknowledged) > 20
            assert len(found) == len(acknowledged) + 2  # and every answer that did not come was a refusal


def test_second_signal_ends_at_once(tmp_path: Path) -> None:
    """An open transaction holds the first SIGTERM, not the second."""
    with run_server(tmp_path) as server:
        with psycopg.connect(server.dsn) as connection:
            connection.execute("select 1")
            server.stopped = True
            server.process.send_signal(signal.SIGTERM)
            with pytest.raises(subprocess.TimeoutExpired):
                server.process.wait(1.5)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(5) == 0
            connection.close()
