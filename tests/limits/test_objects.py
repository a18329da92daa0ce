"""How many objects there may be; large counts are driven with smaller settings, and once for real in test_counts.py."""

from __future__ import annotations

import pytest


def columns(first: int, last: int) -> str:
    return ", ".join(f"c{n} int" for n in range(first, last + 1))


def test_columns(client) -> None:
    for count in (255, 256):
        client.run(f"create table t{count} ({columns(1, count)})")
        client.run(f"create table p{count} ({columns(1, count)}, primary key (c1))")
    assert client.refused(f"create table t257 ({columns(1, 257)})") == ("54011", "tables can have at most 255 columns", None)
    assert client.refused(f"create table p257 ({columns(1, 257)}, primary key (c1))") == (
        "54011", "cannot use more than 256 columns in an index", None)  # fmt: skip
    client.run("alter table t255 add column c256 int")
    assert client.refused("alter table t255 add column c257 int") == ("54011", "tables can have at most 255 columns", None)
    client.run("alter table t255 drop column c1")
    client.run("alter table t255 add column c257 int")


def test_columns_for_life(client) -> None:
    """1,600 with the dropped ones."""
    client.run("create table t (k int primary key)")
    count = 1
    while count + 100 <= 1600:
        client.run("alter table t " + ", ".join(f"add column c{n} int" for n in range(count, count + 100)))
        client.run("alter table t " + ", ".join(f"drop column c{n}" for n in range(count, count + 100)))
        count += 100
    client.run("alter table t " + ", ".join(f"add column c{n} int" for n in range(count, 1599)))
    client.run("alter table t add column last int")
    assert client.refused("alter table t add column more int") == ("54011", "tables can have at most 1600 columns", None)
    client.run("alter table t drop column last")
    assert client.refused("alter table t add column more int") == ("54011", "tables can have at most 1600 columns", None)


def test_key_columns(client) -> None:
    refused = ("54011", "more than 8 column keys in an index are not supported", None)

    def keys(count: int) -> str:
        return ", ".join(f"c{n}" for n in range(1, count + 1))

    client.run(f"create table t ({columns(1, 9)})")
    for count in (7, 8):
        client.run(f"create table t{count} ({columns(1, 9)}, primary key ({keys(count)}))")
        client.run(f"create index async on t ({keys(count)})")
    assert client.refused(f"create table t9 ({columns(1, 9)}, primary key ({keys(9)}))") == refused
    assert client.refused(f"create table t9 ({columns(1, 9)}, unique ({keys(9)}))") == refused
    assert client.refused(f"create index async on t ({keys(9)})") == refused


def test_indexes(client) -> None:
    """24 with the primary key, unique ones and ones that failed or are still building; DROP INDEX frees a slot."""
    refused = ("54000", "more than 24 indexes per table are not allowed", None)
    client.run("create table t (a bigint primary key, b bigint unique, c bigint)")
    client.run("insert into t values (1, 1, 1), (2, 2, 1)")
    client.run("create unique index async broken on t (c)")
    assert client.value("select indisvalid from pg_index where indexrelid = 'broken'::regclass") == "f"
    for number in range(21):
        client.run(f"create index async i{number} on t (b)")
    assert client.value("select count(*) from pg_index where indrelid = 't'::regclass") == "24"
    assert client.refused("create index async one_more on t (b)") == refused
    client.run("drop index broken")
    client.run("create index async one_more on t (b)")
    assert client.refused("create index async and_more on t (b)") == refused
    unique = ", ".join(f"c{n} int unique" for n in range(23))
    client.run(f"create table u (a int primary key, {unique})")
    assert client.refused(f"create table v (a int primary key, z int unique, {unique})") == refused
    client.run("create table keyless (a int)")
    for number in range(24):
        client.run(f"create index async k{number} on keyless (a)")
    assert client.refused("create index async k24 on keyless (a)") == refused


def test_schemas(client) -> None:
    for number in range(10):
        client.run(f"create schema s{number}")
    assert client.refused("create schema s10") == ("54000", "more than 10 schemas not allowed", None)
    assert client.run("create schema if not exists s9").tag == "CREATE SCHEMA"
    client.run("drop schema s4")
    client.run("create schema s10")


COUNTED = {
    "tables_max": ("create table {name} (a int)", "drop table {name}", "creating more than {n} tables not allowed"),
    "views_max": ("create view {name} as select 1 as a", "drop view {name}", "creating more than {n} views not allowed"),
    "sequences_max": ("create sequence {name} cache 1", "drop sequence {name}", "creating more than {n} sequences is not allowed"),
}


@pytest.mark.parametrize("limit", COUNTED)
def test_counts(opened, limit: str) -> None:
    create, drop, message = COUNTED[limit]
    client = opened(**{limit: 20})
    for number in range(20):
        client.run(create.format(name=f"o{number}"))
    assert client.refused(create.format(name="o20")) == ("54000", message.format(n=20), None)
    client.run(drop.format(name="o3"))
    client.run(create.format(name="o20"))
    assert client.refused(create.format(name="o21")) == ("54000", message.format(n=20), None)


def test_counts_nested_and_implied(opened) -> None:
    client = opened(tables_max=2, views_max=1, sequences_max=2)
    client.run("create schema s create table a (i int) create view v as select 1 as x")
    client.run("create table b (i bigint generated always as identity (cache 1))")
    assert client.refused("create table c (i int)")[1] == "creating more than 2 tables not allowed"
    assert client.refused("create view w as select 1 as x")[1] == "creating more than 1 views not allowed"
    client.run("create or replace view s.v as select 2 as x")
    client.run("create sequence q cache 1")
    client.run("drop table s.a")
    assert client.refused("create table c (i bigint generated always as identity (cache 1))")[1] == (
        "creating more than 2 sequences is not allowed")  # fmt: skip


def test_statistics(client) -> None:
    client.run("create table t (a int, b int)")
    for number in range(5):
        client.run(f"create statistics s{number} on a, b from t")
    assert client.refused("create statistics s5 on a, b from t") == ("54000", "more than 5 extended statistics per table are not allowed", None)
    client.run("drop statistics s0")
    client.run("create statistics s5 on a, b from t")
    client.run("alter statistics s5 set statistics 99")
    client.run("alter statistics s5 set statistics 100")
    assert client.refused("alter statistics s5 set statistics 101") == ("22023", "statistics target 101 exceeds maximum allowed value of 100", None)


def test_view_definition(client) -> None:
    """512 KiB of definition text."""
    shell = len(client_definition(client, "select '' as a"))
    for name, size in (("below", (512 << 10) - 1), ("at", 512 << 10)):
        client.run(f"create view {name} as select '{'x' * (size - shell)}' as a")
    refused = client.refused(f"create view above as select '{'x' * ((512 << 10) + 1 - shell)}' as a")
    assert refused == ("54000", "view definition too large", None)


def test_storage(opened) -> None:
    """53100 at COMMIT when the cluster's size is reached; reads go on."""
    from limit_support import noise

    client = opened(cluster_bytes_max=24 << 20)
    assert client.value("select sys.cluster_size_limit()") == str(24 << 20)
    client.run("create table t (a bigint primary key, b text)")
    refused = None
    for number in range(80):
        try:
            client.run("insert into t values ($1, $2)", number, noise(500_000, number))
        except Exception as error:
            refused = error.sqlstate, str(error)
            break
    assert refused == ("53100", "Current cluster size exceeds cluster size limit.")
    assert client.value("select count(*) from t") == str(number)


def client_definition(client, query: str) -> str:
    from opendsql.catalog import load

    client.run(f"create view shell as {query}")
    text = load.load(client.session.handle).relations[("public", "shell")].query
    client.session.rollback()
    return text
