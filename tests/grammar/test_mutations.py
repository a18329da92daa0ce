"""Broken statements get clean errors: mutated ones, deep ones, odd bytes; never XX000, a lost connection or a late answer.

The seeds of the mutations are generated statements where DSQL's grammar is there, else a list of plain ones.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator

import pytest
from conversation import Conversation, Lost
from fixture import ROWS, SCHEMA
from generator import Generator
from grammar import WHERE, Grammar
from tests_support import RunningServer, run_server

SEED = int(os.environ.get("GRAMMAR_SEED", "1"))
COUNT = int(os.environ.get("MUTATION_COUNT", "1500"))
PLAIN = (
    "SELECT a , s FROM t WHERE a > 1 AND s LIKE 'r%' ORDER BY a DESC LIMIT 3",
    "INSERT INTO u ( t_id , k , a ) VALUES ( 1 , 'x' , 2 ) ON CONFLICT ( k ) DO UPDATE SET a = 3 RETURNING id",
    "UPDATE t SET n = n + 1.5 , s = upper ( s ) WHERE id IN ( SELECT t_id FROM u )",
    "CREATE TABLE n ( id int PRIMARY KEY , a text DEFAULT 'x' NOT NULL , CHECK ( length ( a ) < 10 ) )",
    "WITH RECURSIVE c ( x ) AS ( SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5 ) SELECT * FROM c",
    "SELECT count ( * ) FILTER ( WHERE ok ) , sum ( n ) OVER ( PARTITION BY a ORDER BY id ) FROM t GROUP BY a , n , id",
    "GRANT SELECT ON t TO r1", "CREATE INDEX ASYNC ON t ( lower ( s ) ) WHERE a > 1", "SET timezone TO 'UTC'", "EXPLAIN ANALYZE SELECT * FROM t",
    "ALTER TABLE t ADD COLUMN q int", "SELECT jsonb_path_query ( jb , '$.a[*] ? (@ > 1)' ) FROM t", "COPY t FROM STDIN", "AWS IAM GRANT r1 TO 'arn'",
)  # fmt: skip
WORDS = (
    "SELECT", "FROM", "WHERE", "(", ")", ",", ";", "'", '"', "$1", "$0", "$99999", "::", "NULL", "ASYNC", "AWS", "1e400", "99999999999999999999", "''", "/*", "--",
    "$$", "E'\\", "U&'\\0000'", "IN", "ANY", "*", ".", "[", "]", "AS", "JOIN", "OVER", "DISTINCT", "GROUP", "BY", "WITH", "DEFAULT", "-9223372036854775808",
    "'\\x'", "0x", "1_000", "::int[]", "{", "}", "\\", "@", "?", "||", "~~", "<>", "ROW", "ARRAY", "LATERAL", "VALUES", "\u00e9", "\U0001f600", "\ufeff",
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with run_server(tmp_path_factory.mktemp("mutations")) as running:
        conversation = Conversation(running.port)
        for statement in (*SCHEMA, *ROWS):
            conversation.ask(statement)
        conversation.close()
        yield running


def seeds() -> Iterator[str]:
    generator = Generator(Grammar(), SEED + 1000) if WHERE.exists() else None
    place = 0
    while True:
        place += 1
        yield generator.statement().text if generator is not None and place % 3 else PLAIN[place % len(PLAIN)]


def mutated(text: str, chance: random.Random) -> bytes:
    """A few deletions, repetitions, exchanges and insertions of words or bytes."""
    words = text.split()
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(len(words) + 1)
        match chance.randrange(6):
            case 0:
                del words[at : at + chance.choice((1, 1, 3))]
            case 1:
                words[at:at] = words[at : at + chance.choice((1, 2, 5))]
            case 2:
                words.insert(at, chance.choice(WORDS))
            case 3 if at < len(words):
                words[at] = chance.choice(WORDS)
            case 4 if len(words) > 1:
                other = chance.randrange(len(words))
                words[at % len(words)], words[other] = words[other], words[at % len(words)]
            case _:
                words = words[:at]
        words = words or ["SELECT"]
    raw = " ".join(words).encode()
    if chance.random() < 0.1:
        at = chance.randrange(len(raw) + 1)
        raw = raw[:at] + bytes([chance.choice((0x80, 0xC0, 0xFF, 0x01, 0x7F, 0xED))]) + raw[at:]
    return raw.replace(b"\0", b"")


def check(conversation: Conversation, raw: bytes) -> str:
    """The SQLSTATE of one request; what is not clean fails."""
    answer = conversation.undone(raw)
    if conversation.status != "I":
        conversation.ask("ROLLBACK")
    assert answer.sqlstate != "XX000", f"{answer.message}: {raw[:600]!r}"
    assert not answer.error or re.fullmatch(r"[0-9A-Z]{5}", answer.sqlstate), answer.error
    return answer.sqlstate


@pytest.mark.soak
def test_five_thousand_mutations(server: RunningServer) -> None:
    mutations(server, 5000)


def test_mutations(server: RunningServer) -> None:
    mutations(server, COUNT)


def mutations(server: RunningServer, count: int) -> None:
    chance = random.Random(SEED)
    conversation = Conversation(server.port)
    states: set[str] = set()
    for _, text in zip(range(count), seeds(), strict=False):
        raw = mutated(text, chance)
        if raw.lstrip()[:4].lower() in (b"copy", b"begi", b"star", b"comm", b"roll", b"abor", b"end"):
            continue  # their conversation is another one
        try:
            states.add(check(conversation, raw))
        except Lost as lost:
            pytest.fail(f"{lost}: {raw!r}")
    conversation.close()
    assert len(states) > 20 and "42601" in states


DEEP = {
    "parentheses": lambda n: "SELECT " + "(" * n + "1" + ")" * n,
    "not": lambda n: "SELECT " + "NOT " * n + "true",
    "minus": lambda n: "SELECT " + "- " * n + "1",
    "sum": lambda n: "SELECT 1" + " + 1" * n,
    "and": lambda n: "SELECT true" + " AND true" * n,
    "concatenation": lambda n: "SELECT 'a'" + " || 'a'" * n,
    "subqueries": lambda n: "SELECT * FROM " + "(SELECT * FROM " * n + "t" + ") x" * n,
    "scalar": lambda n: "SELECT " + "(SELECT " * n + "1" + ")" * n,
    "case": lambda n: "SELECT " + "CASE WHEN true THEN " * n + "1" + " END" * n,
    "calls": lambda n: "SELECT " + "abs(" * n + "1" + ")" * n,
    "casts": lambda n: "SELECT 1" + "::int" * n,
    "arrays": lambda n: "SELECT " + "ARRAY[" * n + "1" + "]" * n,
    "unions": lambda n: "SELECT 1" + " UNION ALL SELECT 1" * n,
    "joins": lambda n: "SELECT 1 FROM w" + "".join(f" CROSS JOIN (SELECT 1) x{i}" for i in range(n)),
    "nested joins": lambda n: "SELECT 1 FROM " + "(" * n + "w" + "".join(f" CROSS JOIN (SELECT 1) x{i})" for i in range(n)),
    "ctes": lambda n: "WITH c0 AS (SELECT 1) " + "".join(f", c{i} AS (SELECT * FROM c{i - 1})" for i in range(1, n)) + f" SELECT * FROM c{n - 1}",
    "doubling ctes": lambda n: "WITH c0 AS (SELECT 1 AS x)"
    + "".join(f", c{i} AS NOT MATERIALIZED (SELECT a.x FROM c{i - 1} a, c{i - 1} b)" for i in range(1, n))
    + f" SELECT * FROM c{n - 1}",
    "nested ctes": lambda n: "WITH c AS (" * n + "SELECT 1" + ") SELECT * FROM c" * n,
    "json": lambda n: "SELECT '" + "[" * n + "]" * n + "'::jsonb",
    "jsonpath": lambda n: "SELECT '" + "(" * n + "1" + ")" * n + "'::jsonpath",
    "in list": lambda n: "SELECT 1 IN (" + "1," * n + "1)",
    "comments": lambda n: "/*" * n + "*/" * n + "SELECT 1",
    "group": lambda n: "SELECT 1 FROM t GROUP BY " + "GROUPING SETS (" * n + "a" + ")" * n,
    "check": lambda n: "CREATE TABLE deep (a int CHECK (" + "(" * n + "a > 1" + ")" * n + "))",
    "default": lambda n: "CREATE TABLE deep (a int DEFAULT " + "- " * n + "1)",
    "view": lambda n: "CREATE VIEW deep AS SELECT " + "NOT " * n + "true AS a",
    "index": lambda n: "CREATE INDEX ASYNC ON t ((" + "abs(" * n + "a" + ")" * n + "))",
    "regular expression": lambda n: "SELECT 'a' ~ '" + "(" * n + "a" + ")" * n + "'",
    "insert rows": lambda n: "INSERT INTO w (a) VALUES (1)" + ", (1)" * min(n, 2000),
}  # fmt: skip


@pytest.mark.parametrize("shape", DEEP)
@pytest.mark.parametrize("depth", [50, 500, 3_000, 5_000])
def test_depth(server: RunningServer, shape: str, depth: int) -> None:
    """Deep nesting works or is 54001 (or the parser's own refusal); the session and the server live on."""
    conversation = Conversation(server.port, seconds=20)
    state = check(conversation, DEEP[shape](depth).encode())
    assert state in ("", "54001", "42601", "54000", "54011", "42803", "42883", "42P18", "2202E", "22P02", "2201B", "53200", "0A000", "42701"), state
    assert check(conversation, b"SELECT 1") == ""
    conversation.close()


@pytest.mark.parametrize(
    "raw",
    [b"SELECT '\xff'", b"SELECT '\xc3'", b"SELECT \xed\xa0\x80", b"SELECT U&'\\D800'", b"SELECT E'\\xff'", b"SELECT E'\\000'", b"SELECT chr(0)", b"SELECT '\x01'",
     b"SELECT \"\"", b"SELECT 'a", b"SELECT \"a", b"SELECT $$a", b"SELECT /* a", b"", b" ", b";;;", b"SELECT 1;;SELECT 2", b"\xef\xbb\xbfSELECT 1",
     b"SELECT " + b"a" * 100_000, b"SELECT '" + b"x" * 1_000_000 + b"'", b"SELECT 1 AS \"" + b"y" * 1000 + b"\"", b"SELECT $1", b"SELECT $0", b"SELECT $70000",
     b"SELECT 1e1000000", b"SELECT 0x" + b"f" * 5000, b"SELECT 1" + b"0" * 50_000, b"SELECT E'\\u0000'", b"SELECT U&'\\+110000'"],
    ids=range(29),
)  # fmt: skip
def test_odd_bytes(server: RunningServer, raw: bytes) -> None:
    conversation = Conversation(server.port)
    check(conversation, raw)
    assert check(conversation, b"SELECT 1") == ""
    conversation.close()
