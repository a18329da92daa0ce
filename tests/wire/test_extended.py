"""The extended protocol: statements, portals, parameters, pipelines, recovery at Sync."""

from __future__ import annotations

import struct

import pytest
from wire_support import (
    INT4,
    INT8,
    SYNC,
    TEXT,
    Client,
    Running,
    bind,
    describe,
    error_of,
    execute,
    fields,
    kinds,
    packet,
    parse,
    row,
    serving,
)  # fmt: skip

CONFLICT = 1


def run(client: Client, *messages: bytes) -> list[tuple[str, bytes]]:
    """Messages and a Sync, up to ReadyForQuery."""
    client.send(b"".join(messages) + SYNC)
    return client.until("Z")


def test_unnamed(client: Client) -> None:
    """Parse, Bind, Describe, Execute of the unnamed statement."""
    found = run(client, parse("select $1, $2, 5", oids=(INT4, 0)), bind([b"7", b"x"]), describe("P"), execute())
    assert kinds(found) == "12TDCZ"
    assert row(found[3][1]) == [b"7", b"x", b"5"]
    assert found[4][1] == b"SELECT 1\0"


def test_describe_statement(client: Client) -> None:
    """Parameter types without the lifted ones; columns in text format."""
    found = run(client, parse("select $1, 'lifted'", "d", (INT8,)), describe("S", "d"))
    assert kinds(found) == "1tTZ"
    assert found[1][1] == struct.pack("!hI", 1, INT8)
    assert found[2][1][:2] == b"\0\2"
    run(client, packet("C", b"Sd\0"))


def test_named(client: Client) -> None:
    """A named statement is bound many times; 42P05 for a second of its name; gone after Close."""
    assert kinds(run(client, parse("select $1", "n", (INT4,)))) == "1Z"
    for number in range(5):
        found = run(client, bind([str(number).encode()], "n"), execute())
        assert row(found[1][1]) == [str(number).encode()]
    assert error_of(run(client, parse("select 1", "n")))["C"] == "42P05"
    assert error_of(run(client, parse("select 1", "n")))["M"] == 'prepared statement "n" already exists'
    assert kinds(run(client, packet("C", b"Sn\0"))) == "3Z"
    found = run(client, bind([], "n"))
    assert (error_of(found)["C"], error_of(found)["M"]) == ("26000", 'prepared statement "n" does not exist')


def test_simple_query_drops_the_unnamed_statement(client: Client) -> None:
    """As PostgreSQL does."""
    run(client, parse("select 1"))
    client.query("select 1")
    assert error_of(run(client, bind()))["M"] == "unnamed prepared statement does not exist"


@pytest.mark.parametrize("formats", [(), (0,), (1,), (1, 0), (0, 1)])
def test_formats(client: Client, formats: tuple[int, ...]) -> None:
    """Text and binary parameters, one code for all or one each."""
    code = list(formats) * 2 if len(formats) == 1 else list(formats) or [0, 0]
    first = struct.pack("!i", -5) if code[0] else b"-5"
    found = run(client, parse("select $1, $2", oids=(INT4, TEXT)), bind([first, b"t"], formats=formats), execute())
    assert row(found[2][1]) == [b"-5", b"t"]


def test_binary_results(client: Client) -> None:
    """Result formats per column."""
    found = run(client, parse("select $1, $2, $3", oids=(INT4, INT8, TEXT)), bind([b"1", b"-2", b"x"], results=(1, 1, 0)), describe("P"),
                execute())
    assert row(found[3][1]) == [struct.pack("!i", 1), struct.pack("!q", -2), b"x"]
    assert found[2][1].endswith(b"\0\0")
    found = run(client, parse("select $1, $2", oids=(INT4, INT8)), bind([None, None], results=(1,)), execute())
    assert row(found[2][1]) == [None, None]


def test_wrong_counts(client: Client) -> None:
    """08P01 in PostgreSQL's words."""
    found = run(client, parse("select $1, $2", oids=(INT4, INT4)), bind([b"1"]))
    assert error_of(found)["C"] == "08P01"
    assert error_of(found)["M"] == 'bind message supplies 1 parameters, but prepared statement "" requires 2'
    found = run(client, parse("select $1", oids=(INT4,)), bind([b"1"], formats=(0, 0)))
    assert error_of(found)["M"] == "bind message has 2 parameter formats but 1 parameters"
    found = run(client, parse("select $1", oids=(INT4,)), bind([b"1"], results=(0, 0)))
    assert error_of(found)["M"] == "bind message has 2 result formats but query has 1 columns"


def test_bad_values(client: Client) -> None:
    """Errors of input functions, invalid text, short messages."""
    parsed = parse("select $1", oids=(INT4,))
    assert error_of(run(client, parsed, bind([b"x"])))["M"] == 'invalid input syntax for type integer: "x"'
    assert error_of(run(client, parsed, bind([b"12"], formats=(1,))))["C"] in ("22P03", "08P01")
    assert error_of(run(client, parse("select $1"), bind([b"\xff"])))["C"] == "22021"
    assert error_of(run(client, parsed, packet("B", b"\0\0\0\0\0\1\0\0\0\x7fx")))["C"] == "08P01"
    assert error_of(run(client, packet("P", b"no zero")))["C"] == "08P01"
    assert error_of(run(client, packet("D", b"X\0")))["C"] == "08P01"
    assert kinds(client.query("select 1")) == "TDCZ"


def test_skip_until_sync(client: Client) -> None:
    """One error, then silence up to Sync; the messages after it are for the next."""
    client.send(parse("fail") + bind() + execute() + parse("select 1") + bind() + execute() + SYNC + parse("select 2") + bind() + execute() + SYNC)
    assert kinds(client.until("Z")) == "12EZ"
    found = client.until("Z")
    assert kinds(found) == "12DCZ"
    assert row(found[2][1]) == [b"2"]


def test_pipeline(client: Client) -> None:
    """Many Executes before one Sync, answered in order."""
    client.send(b"".join(parse(f"select {n}") + bind() + execute() for n in range(200)) + SYNC)
    found = client.until("Z")
    assert [row(body)[0] for kind, body in found if kind == "D"] == [str(n).encode() for n in range(200)]


def test_portal_limit(client: Client) -> None:
    """PortalSuspended, then the rest; a finished portal says SELECT 0."""
    client.send(parse("select rows 5") + bind(portal="p") + execute("p", 2) + execute("p", 2) + execute("p", 2) + execute("p", 2) + SYNC)
    found = client.until("Z")
    assert kinds(found) == "12DDsDDsDCCZ"
    assert [body for kind, body in found if kind == "C"] == [b"SELECT 1\0", b"SELECT 0\0"]
    assert [row(body)[0] for kind, body in found if kind == "D"] == [b"0", b"1", b"2", b"3", b"4"]


def test_portals_of_a_transaction(client: Client) -> None:
    """Two suspended portals side by side; both end with the transaction."""
    client.query("begin")
    run(client, parse("select rows 2500", "s"), bind([], "s", "a"), bind([], "s", "b"))
    for turn in range(3):
        for portal in "ab":
            found = run(client, execute(portal, 700))
            assert kinds(found) == "D" * 700 + "sZ"
            assert row(found[0][1])[0] == str(turn * 700).encode()
    assert error_of(run(client, bind([], "s", "a")))["C"] == "42P03"
    client.query("rollback")
    client.query("begin")
    found = run(client, execute("a"))
    assert (error_of(found)["C"], error_of(found)["M"]) == ("34000", 'portal "a" does not exist')
    client.query("rollback")
    run(client, packet("C", b"Ss\0"))


def test_implicit_transaction_ends_at_sync() -> None:
    """One commit request per Sync, after the tags."""
    with serving() as s:
        client = s.connect()
        found = run(client, parse("put a 1"), bind(), execute(), parse("put b 1"), bind(), execute())
        assert kinds(found) == "12C12CZ"
        assert len(s.commits) == 1
        found = run(client, parse("begin"), bind(), execute(), parse("put b 1"), bind(), execute(), parse("commit"), bind(), execute())
        assert kinds(found) == "12C12C12CZ"
        assert len(s.commits) == 2
        found = run(client, parse("put a 1"), bind(), execute(), parse("fail"), bind(), execute())
        assert kinds(found) == "12C12EZ"
        assert len(s.commits) == 2
        client.close()


def test_refused_at_sync() -> None:
    """ErrorResponse, then ReadyForQuery; COMMIT by Execute is refused in place of its tag."""
    with serving(verdict=lambda request: CONFLICT) as s:
        client = s.connect()
        found = run(client, parse("put a 1"), bind(), execute())
        assert kinds(found) == "12CEZ"
        assert error_of(found)["C"] == "40001"
        client.query("begin")
        assert kinds(run(client, parse("put a 1"), bind(), execute())) == "12CZ"
        found = run(client, parse("commit"), bind(), execute(), parse("select 1"))
        assert kinds(found) == "12EZ"
        assert found[-1][1] == b"I"
        client.close()


def test_failed_transaction(client: Client) -> None:
    """Parse and Bind are refused too, ROLLBACK is not."""
    client.query("begin")
    client.query("fail")
    assert error_of(run(client, parse("select 1")))["C"] == "25P02"
    found = run(client, parse("rollback"), bind(), execute())
    assert kinds(found) == "12CZ"
    assert found[-1][1] == b"I"


def test_empty_statement(client: Client) -> None:
    """EmptyQueryResponse from Execute; NoData from Describe."""
    found = run(client, parse(" -- nothing\n"), bind(), describe("S"), describe("P"), execute())
    assert kinds(found) == "12tnnIZ"


def test_several_statements_in_parse(client: Client) -> None:
    """42601."""
    found = run(client, parse("select 1; select 2"))
    assert error_of(found)["M"] == "cannot insert multiple commands into a prepared statement"


def test_flush(client: Client) -> None:
    """Answers come without a Sync."""
    client.send(parse("select 1") + packet("H"))
    assert client.message() == ("1", b"")
    client.send(bind() + execute() + packet("H"))
    assert kinds(client.until("C")) == "2DC"
    assert kinds(run(client)) == "Z"


def test_function_call(client: Client) -> None:
    """Refused, the session lives."""
    client.send(packet("F", b"\0\0\0\1\0\0\0\0\0\0"))
    found = client.until("Z")
    assert error_of(found)["C"] == "0A000"


def test_python_statement_in_binary(client: Client) -> None:
    """Rows that come as text are converted where binary was asked for; a Describe told the columns."""
    found = run(client, parse("get nothing"), bind(results=(1,)), describe("P"), execute())
    assert kinds(found) == "12TDCZ"
    assert row(found[3][1]) == [None]


def test_plan_is_shared(running: Running, client: Client) -> None:
    """Preparing the same shape again, here or elsewhere, asks nobody."""
    run(client, parse("select $1, 'shared', 9", oids=(INT4,)), bind([b"1"]), execute())
    before = len(running.planner.asked)
    other = running.connect()
    for _ in range(3):
        assert kinds(run(other, parse("SELECT $1 , 'again', 8", oids=(INT4,)), bind([b"1"]), execute())) == "12DCZ"
    assert len(running.planner.asked) == before
    assert kinds(run(other, parse("SELECT $1 , 'again', 8", oids=(INT8,)), bind([b"1"]), execute())) == "12DCZ"
    assert len(running.planner.asked) == before + 1
    other.close()


def test_copy_by_execute(client: Client) -> None:
    """COPY FROM STDIN in the extended protocol; the first Sync arrives before the data and is ignored."""
    client.send(parse("copy in") + bind() + describe("P") + execute() + SYNC)
    assert kinds(client.until("G")) == "12nG"
    client.send(b"d\0\0\0\x081\ta\n" + b"c\0\0\0\4" + SYNC)
    found = client.until("Z")
    assert kinds(found) == "CZ"
    assert found[0][1] == b"COPY 1\0"
    client.send(parse("copy in") + bind() + execute() + SYNC)
    client.until("G")
    client.send(b"d\0\0\0\x06x\n" + b"c\0\0\0\4" + SYNC)
    assert kinds(client.until("Z")) == "EZ"


def test_notices_have_fields(client: Client) -> None:
    """Severity twice, state, text."""
    found = run(client, parse("notice"), bind(), execute())
    notice = next(fields(body) for kind, body in found if kind == "N")
    assert notice == {"S": "WARNING", "V": "WARNING", "C": "01000", "M": "take note"}
