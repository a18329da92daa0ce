"""The simple protocol: statements, transactions, errors, commit outcomes."""

from __future__ import annotations

import threading

import pytest
from wire_support import Client, Running, error_of, fields, kinds, query, row, serving

CONFLICT, CATALOG_CONFLICT = 1, 2


def tags(messages: list[tuple[str, bytes]]) -> list[str]:
    """Command tags."""
    return [body[:-1].decode() for kind, body in messages if kind == "C"]


def test_values(client: Client) -> None:
    """Constants come back through parameters."""
    found = client.query("select 2, 'a''b', 3000000000, 1.5")
    assert kinds(found) == "TDCZ"
    assert row(found[1][1]) == [b"2", b"a'b", b"3000000000", b"1.5"]
    assert tags(found) == ["SELECT 1"]
    assert found[-1][1] == b"I"


def test_cache(running: Running, client: Client) -> None:
    """The second statement of a shape is not planned."""
    before = len(running.planner.asked)
    for number in range(20):
        assert row(client.query(f"select  {number} , 'cache' /* {number} */")[1][1]) == [str(number).encode(), b"cache"]
    assert len(running.planner.asked) == before + 1


def test_empty(client: Client) -> None:
    """EmptyQueryResponse, once, whatever emptiness looks like."""
    for text in ("", ";", " ; -- x\n;;", "/* */"):
        assert kinds(client.query(text)) == "IZ"


def test_several(client: Client) -> None:
    """One answer per statement."""
    found = client.query("select 1; select 2;; select 3;")
    assert kinds(found) == "TDCTDCTDCZ"


def test_error_ends_the_query(client: Client) -> None:
    """What follows a failing statement is not run; the session lives."""
    found = client.query("select 1; fail; select 2")
    assert kinds(found) == "TDCEZ"
    assert error_of(found) == {"S": "ERROR", "V": "ERROR", "C": "22012", "M": "division by zero", "D": "Zero.", "t": "t"}
    assert kinds(client.query("select 1")) == "TDCZ"


def test_position_counts_the_whole_query(client: Client) -> None:
    """In characters."""
    assert error_of(client.query("syntax"))["P"] == "1"
    assert error_of(client.query("select 'ä'; syntax"))["P"] == "13"


def test_grammar_comes_first() -> None:
    """A syntax error anywhere in a Query: nothing runs, one error, and the session goes on."""
    with serving() as s:
        client = s.connect()
        for text in ("put a 1; syntax; put b 2", "begin; put a 1; commit; nonsense", "put a 1; select 'ä'; syntax", "syntax; put a 1"):
            for _ in range(2):
                found = client.query(text)
                assert kinds(found) == "EZ", text
                assert error_of(found)["C"] == "42601"
                assert found[-1][1] == b"I"
        assert error_of(client.query("put a 1; select 'ä'; syntax"))["P"] == "22"
        assert s.commits == []
        assert s.planner.asked == []
        assert s.server.counters["statements"] == 0
        assert kinds(client.query("get a")) == "TDCZ"


def test_grammar_comes_before_the_state_of_the_transaction(client: Client) -> None:
    """A syntax error ends the block's usefulness, and is told even in a failed one."""
    client.query("begin")
    found = client.query("select 1; syntax")
    assert (kinds(found), found[-1][1]) == ("EZ", b"E")
    assert error_of(client.query("select 1; syntax"))["C"] == "42601"
    assert error_of(client.query("select 1; select 2"))["C"] == "25P02"
    assert tags(client.query("rollback; select 1")) == ["ROLLBACK", "SELECT 1"]


def test_known_statements_are_not_parsed_again(running: Running, client: Client) -> None:
    """A Query of cached shapes never reaches the Python thread; one unknown statement has the whole text read."""
    client.query("begin; select 1, 'known'; select rows 3; commit")
    checked, asked = len(running.planner.checked), len(running.planner.asked)
    for number in range(10):
        found = client.query(f"begin; select {number}, 'other'; select rows 3; commit")
        assert kinds(found) == "CTDCTDDDCCZ"
        assert row(found[2][1]) == [str(number).encode(), b"other"]
        assert found[-1][1] == b"I"
    assert (len(running.planner.checked), len(running.planner.asked)) == (checked, asked)
    # 4 is not 3 where the literal is part of the plan
    text = "begin; select 1, 'known'; select rows 4; commit"
    assert kinds(client.query(text)) == "CTDCTDDDDCCZ"
    assert running.planner.checked[checked:] == [text]
    # statements that are alone, whatever surrounds them
    for text in ("select 1, 'known';", ";; select 1, 'known' ; -- select", "get nothing;"):
        client.query(text)
    assert len(running.planner.checked) == checked + 1


def test_grammar_of_pipelined_queries(running: Running, client: Client) -> None:
    """Each Query is looked at on its own, also when the next has already arrived."""
    client.send(query("select 1; syntax") + query("select 2; wait 2; select 3") + query("syntax; select 1") + query("select 4; get x"))
    assert [kinds(client.until("Z")) for _ in range(4)] == ["EZ", "TDCCTDCZ", "EZ", "TDCTDCZ"]


def test_bug_is_an_error(client: Client) -> None:
    """A handler that raises anything leaves an XX000 and a session."""
    assert error_of(client.query("crash"))["C"] == "XX000"
    assert kinds(client.query("select 1")) == "TDCZ"


def test_transaction_block(client: Client) -> None:
    """T, then E after a failure, 25P02 for everything grammatical but its end; COMMIT then says ROLLBACK."""
    assert client.query("begin")[-1][1] == b"T"
    assert client.query("select 1")[-1][1] == b"T"
    assert client.query("fail")[-1][1] == b"E"
    refused = client.query("select 1")
    assert error_of(refused)["C"] == "25P02"
    assert error_of(refused)["M"] == "current transaction is aborted, commands ignored until end of transaction block"
    assert error_of(client.query("begin"))["C"] == "25P02"
    assert error_of(client.query("syntax"))["C"] == "42601"  # the grammar comes first, as in PostgreSQL
    found = client.query("commit")
    assert tags(found) == ["ROLLBACK"]
    assert found[-1][1] == b"I"


def test_warnings(client: Client) -> None:
    """BEGIN in a transaction, COMMIT and ROLLBACK outside one."""
    for text in ("commit", "rollback", "end", "abort"):
        found = client.query(text)
        assert kinds(found) == "NCZ"
        assert fields(found[0][1])["C"] == "25P01"
        assert fields(found[0][1])["M"] == "there is no transaction in progress"
    client.query("begin")
    found = client.query("begin")
    assert fields(found[0][1])["C"] == "25001"
    assert fields(found[0][1])["M"] == "there is already a transaction in progress"
    assert tags(client.query("start transaction")) == ["START TRANSACTION"]
    assert tags(client.query("rollback")) == ["ROLLBACK"]


def test_commit_once() -> None:
    """A Query is one implicit transaction; blocks inside it are their own."""
    with serving() as s:
        client = s.connect()
        assert tags(client.query("put a 1; put b 2")) == ["PUT", "PUT"]
        assert len(s.commits) == 1
        assert tags(client.query("begin; put a 1; commit; put c 3")) == ["BEGIN", "PUT", "COMMIT", "PUT"]
        assert len(s.commits) == 3
        client.query("put a 1; fail")
        client.query("begin; put a 1; rollback")
        client.query("put a 1; rollback")
        assert len(s.commits) == 3
        assert tags(client.query("put a 1; begin; put b 1; commit")) == ["PUT", "BEGIN", "PUT", "COMMIT"]
        assert len(s.commits) == 4
        client.close()


def test_refused_commit() -> None:
    """The refusal takes the place of the tag it denies."""
    with serving(verdict=lambda request: CONFLICT) as s:
        client = s.connect()
        found = client.query("put a 1")
        assert kinds(found) == "EZ"
        assert error_of(found)["C"] == "40001"
        assert error_of(found)["M"] == "change conflicts with another transaction (OC000)"
        assert kinds(client.query("select 1; put a 1")) == "TDCEZ"
        client.query("begin")
        assert kinds(client.query("put a 1")) == "CZ"
        found = client.query("commit")
        assert kinds(found) == "EZ"
        assert found[-1][1] == b"I"
        found = client.query("begin; put a 1; commit; select 1")
        assert kinds(found) == "CCEZ"
        assert s.server.counters["conflicts"] == 4
        client.close()
    with serving(verdict=lambda request: CATALOG_CONFLICT) as s:
        client = s.connect()
        assert error_of(client.query("put a 1"))["M"] == "schema has been updated by another transaction (OC001)"
        client.close()


def test_own_writes(client: Client) -> None:
    """A transaction sees what it put."""
    client.query("begin")
    client.query("put own value")
    assert row(client.query("get own")[1][1]) == [b"value"]
    client.query("rollback")
    assert row(client.query("get own")[1][1]) == [None]


def test_rows(client: Client) -> None:
    """More than a batch, more than a socket buffer."""
    found = client.query("select rows 3000")
    assert kinds(found) == "T" + "D" * 3000 + "CZ"
    assert row(found[2999][1]) == [b"2998", b"row 2998"]
    assert tags(found) == ["SELECT 3000"]


def test_notice_and_waiting(client: Client) -> None:
    """A notice comes before its tag; a waiting statement holds nobody."""
    found = client.query("notice")
    assert kinds(found) == "NCZ"
    assert fields(found[0][1])["M"] == "take note"
    client.send(query("wait 20"))
    assert client.until("Z")[0] == ("C", b"WAIT\0")


def test_slow_reader(running: Running) -> None:
    """A client that does not read stops its own statement, nobody else's, and gets everything in the end."""
    slow, other = running.connect(), running.connect()
    for _ in range(30):
        slow.send(query("select rows 3000"))
    for number in range(50):
        assert row(other.query(f"select {number}")[1][1]) == [str(number).encode()]
    for _ in range(30):
        assert kinds(slow.until("Z")) == "T" + "D" * 3000 + "CZ"
    slow.close()
    other.close()


def test_invalid_utf8(client: Client) -> None:
    """22021 with the bytes, in statement order of checks: nothing is run."""
    found = client.query(b"select 'a\xff'")
    assert error_of(found)["C"] == "22021"
    assert error_of(found)["M"] == 'invalid byte sequence for encoding "UTF8": 0xff'
    assert error_of(client.query(b"select '\xe2\x28\xa1'"))["M"].endswith("0xe2 0x28 0xa1")
    assert row(client.query("select 'äö€😀'")[1][1]) == ["äö€😀".encode()]


def test_large_statement(client: Client) -> None:
    """Megabytes in one message."""
    text = "x" * 3_000_000
    assert row(client.query(f"select '{text}'")[1][1]) == [text.encode()]


def test_many_sessions(running: Running) -> None:
    """Several clients at once, each with its own transaction."""
    failures: list[str] = []

    def one(number: int) -> None:
        client = running.connect()
        for turn in range(50):
            client.query("begin")
            if row(client.query(f"select {number * 1000 + turn}")[1][1]) != [str(number * 1000 + turn).encode()]:
                failures.append("value")
            if client.query("commit")[-1][1] != b"I":
                failures.append("status")
        client.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.parametrize("style", ["", " csv", " binary"])
def test_copy_out(client: Client, style: str) -> None:
    """The three formats."""
    found = client.query("copy out 3" + style)
    data = b"".join(body for kind, body in found if kind == "d")
    assert kinds(found).replace("d", "") == "HcCZ"
    assert tags(found) == ["COPY 3"]
    if style == "":
        assert data == b'0\ta\\t"0",\\\\\\n\n1\t\\N\n2\ta\\t"2",\\\\\\n\n'
    elif style == " csv":
        assert data == b'0,"a\t""0"",\\\n"\n1,\n2,"a\t""2"",\\\n"\n'
    else:
        assert data.startswith(b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\2\0\0\0\4\0\0\0\0\0\0\0\x08a\t")
        assert data.endswith(b"\xff\xff")


def copy_in(client: Client, text: str, *chunks: bytes, end: bytes = b"c\0\0\0\4") -> list[tuple[str, bytes]]:
    """COPY FROM STDIN with the data in these CopyData messages."""
    client.send(query(text))
    assert client.message()[0] == "G"
    for chunk in chunks:
        client.send(b"d" + (len(chunk) + 4).to_bytes(4, "big") + chunk)
    client.send(end)
    return client.until("Z")


def test_copy_in(client: Client) -> None:
    """Rows may be cut anywhere."""
    data = b"1\ta\\tb\\n\\x41\\101\n2\t\\N\n3\tlast\\\nline\r\n4\tno newline"
    for size in (1, 2, 7, 1000):
        chunks = [data[at : at + size] for at in range(0, len(data), size)]
        assert tags(copy_in(client, "copy in", *chunks)) == ["COPY 4"]
    assert tags(copy_in(client, "copy in", b"1\ta\n\\.\nrubbish that is ignored")) == ["COPY 1"]
    csv = b'1,"a,""b""\nc"\r\n2,\n3,""\n'
    for size in (1, 5, 1000):
        chunks = [csv[at : at + size] for at in range(0, len(csv), size)]
        assert tags(copy_in(client, "copy in csv", *chunks)) == ["COPY 3"]
    binary = b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\0\2\0\0\0\4\0\0\0\7\xff\xff\xff\xff" + b"\xff\xff"
    for size in (1, 3, 1000):
        chunks = [binary[at : at + size] for at in range(0, len(binary), size)]
        assert tags(copy_in(client, "copy in binary", *chunks)) == ["COPY 1"]


@pytest.mark.parametrize(
    ("data", "state", "message"),
    [
        (b"1\n", "22P04", 'missing data for column "t"'),
        (b"1\ta\tb\n", "22P04", "extra data after last expected column"),
        (b"x\ta\n", "22P02", 'invalid input syntax for type integer: "x"'),
        (b"1\t\xff\n", "22021", 'invalid byte sequence for encoding "UTF8": 0xff'),
    ],
)
def test_copy_in_errors(client: Client, data: bytes, state: str, message: str) -> None:
    """Bad rows end the COPY; what the client still sends is ignored."""
    found = copy_in(client, "copy in", data, b"2\tmore\n")
    assert (error_of(found)["C"], error_of(found)["M"]) == (state, message)
    assert kinds(client.query("select 1")) == "TDCZ"


def test_copy_fail(client: Client) -> None:
    """CopyFail ends it with the client's words."""
    found = copy_in(client, "copy in", b"1\ta\n", end=b"f\0\0\0\x0bno way\0")
    assert error_of(found)["C"] == "57014"
    assert error_of(found)["M"] == "COPY from stdin failed: no way"
    assert kinds(client.query("select 1")) == "TDCZ"


def test_copy_inside_a_query(client: Client) -> None:
    """Statements after a COPY FROM STDIN run when its data has ended."""
    client.send(query("select 1; copy in; select 2"))
    assert kinds(client.until("G")) == "TDCG"
    client.send(b"d\0\0\0\x081\ta\n" + b"c\0\0\0\4")
    found = client.until("Z")
    assert kinds(found) == "CTDCZ"
    assert tags(found) == ["COPY 1", "SELECT 1"]
    assert kinds(client.query("select 1")) == "TDCZ"
