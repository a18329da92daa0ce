"""What the protocol bounds: messages of 10 MiB, 65,535 parameters, connections and their rate, COPY by rows."""

from __future__ import annotations

import struct
import uuid

import psycopg
import pytest
from limit_support import noise
from opendsql.limits import BIND_PARAMETERS_MAX, DSQL
from tests_support import RunningServer, run_server

from tests.wire.wire_support import Client as WireClient
from tests.wire.wire_support import error_of, kinds, packet, serving


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_message(over: int) -> None:
    """Its length field may say 10,485,760."""
    with serving() as server:
        client = server.connect()
        text = b"select 1 --"
        body = text + b"x" * (DSQL.message_bytes_max + over - 4 - len(text) - 1) + b"\0"
        message = packet("Q", body)
        assert struct.unpack("!i", message[1:5]) == (DSQL.message_bytes_max + over,)
        if over <= 0:
            client.send(message)
            assert kinds(client.until("Z")) == "TDCZ"
        else:
            with pytest.raises((EOFError, ConnectionError)):
                client.send(message)
                client.message()
        assert server.connect().query("select 1")


@pytest.fixture(scope="module")
def psql(server: RunningServer):
    """A connection to a running server and a table of it."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        yield connection


def table(connection: psycopg.Connection) -> str:
    name = f"t{uuid.uuid4().hex}"
    connection.execute(f"create table {name} (a bigint primary key, b text)")
    return name


@pytest.mark.parametrize("count", [65_534, 65_535, 65_536])
def test_parameters_of_a_statement(psql, count: int) -> None:
    """psycopg itself refuses 65,536; the server takes 65,535."""
    holders = ", ".join(["%s"] * count)
    query = f"select 1 where 1 in ({holders})"
    if count <= BIND_PARAMETERS_MAX:
        assert psql.execute(query, [1] * count).fetchone() == (1,)
    else:
        with pytest.raises(psycopg.Error):
            psql.execute(query, [1] * count)
    assert psql.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("count", [2999, 3000, 3001])
def test_copy(psql, count: int) -> None:
    name = table(psql)

    def copy() -> None:
        with psql.cursor().copy(f"copy {name} from stdin") as sink:
            for number in range(count):
                sink.write_row((number, "x"))

    if count <= 3000:
        copy()
        assert psql.execute(f"select count(*) from {name}").fetchone() == (count,)
    else:
        with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="transaction row limit exceeded"):
            copy()
        assert psql.execute(f"select count(*) from {name}").fetchone() == (0,)


def test_copy_bytes(psql) -> None:
    name = table(psql)
    with pytest.raises(psycopg.errors.ProgramLimitExceeded) as refused:
        with psql.cursor().copy(f"copy {name} from stdin") as sink:
            for number in range(11):
                sink.write_row((number, noise(1_000_000, number)))
    assert refused.value.diag.message_primary == "transaction size limit 10mb exceeded"
    assert refused.value.diag.message_detail == "Current transaction size 11mb > 10mb"
    with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="datatype limit greater than 1048576 bytes not supported for text"):
        with psql.cursor().copy(f"copy {name} from stdin") as sink:
            sink.write_row((1, noise(1048577)))


def test_settings_reach_the_workers(tmp_path) -> None:
    """--limits FILE and --limit name=value, in every process."""
    file = tmp_path / "limits.toml"
    file.write_text("transaction_rows_max = 100\nconnections_max = 5\n")
    arguments = ["--topology", "split", "--query-workers", "1", "--limits", str(file), "--limit", "transaction_rows_max=50", "--limit", "tables_max=1"]
    with run_server(tmp_path, *arguments) as running:
        with psycopg.connect(running.dsn, autocommit=True) as connection:
            connection.execute("create table t (a int primary key)")
            connection.execute("insert into t select generate_series(1, 50)")
            with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="transaction row limit exceeded"):
                connection.execute("insert into t select generate_series(51, 101)")
            with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="creating more than 1 tables not allowed"):
                connection.execute("create table u (a int)")
            assert connection.execute("select sys.cluster_size_limit()").fetchone() == (DSQL.cluster_bytes_max,)
            others = [psycopg.connect(running.dsn) for _ in range(4)]
            with pytest.raises(psycopg.OperationalError, match="too many open connections"):
                psycopg.connect(running.dsn)
            for other in others:
                other.close()


def test_connections() -> None:
    """As many as configured, no more; the refusal is 53300."""
    with serving(connections_max=20) as server:
        clients = [server.connect() for _ in range(20)]
        extra = WireClient(server.port)
        error = error_of(extra.startup())
        assert (error["S"], error["C"], error["M"]) == ("FATAL", "53300", "Unable to accept connection, too many open connections.")
        for client in clients:
            client.close()
