"""Sizes of keys, values, rows and types: at the bound, one below, one above."""

from __future__ import annotations

import pytest
from limit_support import noise
from opendsql.guesses import GUESSES

KEY = ("54000", "key size too large", None)
ROW = ("54000", "maximum row size exceeded", None)
MIB = 1 << 20


def of_type(name: str, most: int = MIB) -> tuple[str, str, None]:
    return "54000", f"datatype limit greater than {most} bytes not supported for {name}", None


@pytest.mark.parametrize("columns", range(1, 9))
def test_primary_key(client, columns: int) -> None:
    """1,981 bytes together, 7 of them lost to each column after the first."""
    names = ", ".join(f"k{n}" for n in range(columns))
    client.run(f"create table t ({', '.join(f'k{n} text' for n in range(columns))}, primary key ({names}))")
    most = 1981 - 7 * (columns - 1)
    for total in (most - 1, most, most + 1):
        sizes = [total // columns] * (columns - 1)
        sizes.append(total - sum(sizes))
        sql = f"insert into t values ({', '.join(f'${n + 1}' for n in range(columns))})"
        values = [chr(ord("a") + total % 26) * size for size in sizes]
        if total <= most:
            client.run(sql, *values)
        else:
            assert client.refused(sql, *values) == KEY


def test_bytes_not_characters(client) -> None:
    client.run("create table t (k text primary key)")
    client.run("insert into t values (repeat('\U0001f600', 495))")  # 1,980 bytes
    assert client.refused("insert into t values (repeat('\U0001f600', 496))") == KEY
    assert client.refused("update t set k = k || 'ab'") == KEY


def test_secondary_key_holds_the_primary_key_too(client) -> None:
    """A 500-byte primary key leaves 1,474 bytes."""
    client.run("create table t (k text primary key, v text)")
    client.run("create index async on t (v)")
    for size in (1473, 1474):
        client.run("insert into t values ($1, $2)", str(size).rjust(500, "k"), "v" * size)
    assert client.refused("insert into t values ($1, $2)", "x" * 500, "v" * 1475) == KEY
    client.run("insert into t values ($1, $2)", "x" * 499, "v" * 1475)
    assert client.refused("update t set v = v || 'vv' where k = $1", "x" * 499) == KEY


def test_a_build_over_a_key_that_is_too_large_fails(client) -> None:
    client.run("create table t (k bigint primary key, v text)")
    client.run("insert into t values (1, $1)", "v" * 1990)
    job = client.value("create index async on t (v)")
    found = client.run(f"select status, details from sys.jobs where job_id = '{job}'").texts
    assert found == [("failed", "key size too large")]


def test_declared_key(client) -> None:
    """Declared sizes of the key columns sum to at most 2,000; the primary key does not count in a secondary key."""
    refused = ("54000", "key size greater than 2000 bytes not supported", None)
    for number, total in enumerate((1999, 2000)):
        client.run(f"create table t{number} (a varchar(1000), b varchar({total - 1000}), primary key (a, b))")
    assert client.refused("create table t2 (a varchar(1000), b varchar(1001), primary key (a, b))") == refused
    client.run("create table u (a varchar(2000) primary key, b varchar(2000), c varchar(2001))")
    client.run("create index async on u (b)")
    assert client.refused("create index async on u (c)") == refused
    assert client.refused("create index async on u (b, a)") == refused
    assert client.refused("create table t3 (a varchar(2001) unique)") == refused
    assert client.refused("insert into u values ($1)", "x" * 1982) == KEY


@pytest.mark.parametrize(("kind", "name"), [("text", "text"), ("varchar", "varchar"), ("bytea", "bytea"), ("json", "jsonb"), ("jsonb", "jsonb")])
def test_value(client, kind: str, name: str) -> None:
    assert GUESSES["datatype_limit_name"].answer == "varchar"
    client.run(f"create table t (id bigint primary key, v {kind})")
    for size in (MIB - 1, MIB, MIB + 1):
        if kind == "bytea":
            value = "\\x" + noise(size).encode().hex()
        elif kind in ("json", "jsonb"):
            value = '"' + noise(size - 2) + '"'
        else:
            value = noise(size)
        sql = f"insert into t values ($1, cast($2 as {kind}))"
        if size <= MIB:
            client.run(sql, size, value)
            longer = f"update t set v = cast($2 as {kind}) where id = $1"
            client.run(longer, size, value)
        else:
            assert client.refused(sql, size, value) == of_type(name)
            assert client.refused(f"update t set v = cast($2 as {kind}) where id = $1", MIB, value) == of_type(name)


@pytest.mark.parametrize("kind", ["text", "varchar", "jsonb", "json"])
def test_compression_buys_headroom(client, kind: str) -> None:
    client.run(f"create table t (id bigint primary key, v {kind})")
    client.run(f"insert into t values (1, cast('\"' || repeat('ab', 1500000) || '\"' as {kind}))")
    assert client.value("select length(v::text) from t") == "3000002"


def test_row(client) -> None:
    """2 MiB together, the key's bytes included."""
    client.run("create table t (id bigint primary key, a text, b text, c text)")
    whole = noise(MIB)
    for size in (MIB - 9, MIB - 8, MIB - 7):
        values = (size, whole, noise(MIB // 2, 2), noise(size - MIB // 2, 3))
        if size <= MIB - 8:
            client.run("insert into t values ($1, $2, $3, $4)", *values)
        else:
            assert client.refused("insert into t values ($1, $2, $3, $4)", *values) == ROW
    assert client.refused("update t set c = c || 'xyz'") == ROW


def test_row_before_compression(client) -> None:
    client.run("create table t (id bigint primary key, a text)")
    assert GUESSES["row_bytes_raw"].answer == ROW[1]
    assert client.refused("insert into t values (1, repeat('x', 40000000))") == ROW


def test_declared_types(client) -> None:
    client.run("create table c1 (a char(4096))")
    assert client.refused("create table c2 (a char(4097))") == ("54000", "Datatype limit greater than 4096 bytes not supported for char", None)
    client.run("create table v1 (a varchar(65535))")
    assert client.refused("create table v2 (a varchar(65536))")[1] == "Datatype limit greater than 65535 bytes not supported for varchar"
    client.run("create table n1 (a numeric(1000, 1000), b numeric(1000, -1000), c numeric(1))")
    for text, message in (
        ("numeric(1001)", "NUMERIC precision 1001 must be between 1 and 1000"),
        ("numeric(0)", "NUMERIC precision 0 must be between 1 and 1000"),
        ("numeric(5, 1001)", "NUMERIC scale 1001 must be between -1000 and 1000"),
    ):
        assert client.refused(f"create table n2 (a {text})")[:2] == ("22023", message)


def test_numeric_holds_a_thousand_digits(client) -> None:
    """Precision 1,000 is what 510 bytes hold; there is no longer value to store."""
    client.run("create table t (id bigint primary key, a numeric(1000), b numeric(1000, 1000), bare numeric)")
    digits, fraction = "9" * 1000, "0." + "9" * 1000
    client.run("insert into t values (1, $1, $2, 123456789012.123456)", digits, fraction)
    assert client.run("select a, b, bare from t").texts == [(digits, fraction, "123456789012.123456")]
    assert client.refused("update t set a = a + 1")[0] == "22003"
    assert client.refused("update t set bare = 1234567890123")[0] == "22003"


def test_identifiers_are_cut_to_63_bytes(client) -> None:
    for size in (62, 63, 64):
        client.run(f"create table {'n' * size}_{size} (a int)" if size == 62 else f"create table {chr(97 + size - 60) * size} (a int)")
    names = [row[0] for row in client.run("select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace").texts]
    assert sorted(map(len, names)) == [63, 63, 63]
    assert client.value(f"select count(*) from {'e' * 70}") == "0"


def test_expression_depth(client) -> None:
    """54001 in place of a crash, however deep; parentheses alone end in the grammar's own refusal, as in PostgreSQL."""
    assert client.value("select " + "(" * 5000 + "1" + ")" * 5000) == "1"
    assert client.refused("select " + "(" * 20000 + "1" + ")" * 20000)[:2] == ("42601", 'memory exhausted at or near "("')
    assert client.value("select " + "-".join(["1"] * 100)) == "-98"
    deep = ("54001", "stack depth limit exceeded", None)
    for count in (5_000, 19_000, 30_000, 200_000, 2_000_000):
        assert client.refused("select " + "-".join(["1"] * count)) == deep
        assert client.refused("select " + "not " * count + "true")[0] in ("54001", "42601")
        assert client.refused("select " + "-".join(["abs(1)"] * count)) == deep
        assert client.refused("select " + "(1," * count + "1" + ")" * count)[0] in ("54001", "42601")
    assert client.refused(" union all ".join(["select 1, 2"] * 100_000)) == deep
    assert client.value("select 1") == "1"


def test_width_is_not_depth(client) -> None:
    """Many operators in a long statement, none of them deep."""
    client.run("create table t (a bigint primary key, b text, c bigint)")
    rows = ", ".join(f"({n}, '{'-' * 20}(((', -{n} + 1 - 2 * 3)" for n in range(2500))
    client.run(f"insert into t values {rows}")
    assert client.value("select count(*) from t") == "2500"
    numbers = ", ".join("-1" for _ in range(30_000))
    assert client.value(f"select count(*) from t where c in ({numbers})") == "0"
    assert client.value("select 1 -- " + "-" * 100_000) == "1"
