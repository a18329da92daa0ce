"""EXPLAIN's plan shapes as golden files, and what it counts.

explain/<shape>.txt, blocks divided by blank lines as in scripts/: a statement after `> `, then its answer. All files
start from the tables of TABLES; times and what is computed from them are masked, rows, costs and bytes are not. Run with
RECORD=1 to write the present answers.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from in_process import Client
from opendsql import guesses, limits
from opendsql.errors import DsqlError
from random_queries import SCHEMA, Queries
from test_scripts import blocks

from dsql_core.execute import ExecuteError

SHAPES = sorted((Path(__file__).parent / "explain").glob("*.txt"))
TABLES = """
create table account (id int primary key, owner text not null, branch int, balance numeric(12,2), opened date);
create table entry (account_id int, n bigint, amount int, note text, primary key (account_id, n));
create table log (at timestamp, line text);
create index async account_branch on account (branch) include (owner);
create index async account_opened on account (opened);
insert into account select g, 'owner ' || g % 5, g % 10, g, date '2024-01-01' + g % 50 from generate_series(1, 200) g;
insert into entry select g % 40, g, g * 3, 'note ' || g % 7 from generate_series(1, 240) g;
insert into log select timestamp '2024-01-01 12:00' + interval '1 hour' * g, 'line ' || g from generate_series(1, 30) g;
"""
MASKS = [
    (re.compile(r"actual time=\d+\.\d{3}\.\.\d+\.\d{3} "), "actual time=_.._ "),
    (re.compile(r"^((Planning|Execution) Time): \d+\.\d{3} ms$"), r"\1: _ ms"),
    (re.compile(r"^(  (Compute|Total)): \d+\.\d{5} DPU$"), r"\1: _ DPU"),
    (re.compile(r'(Time"?[:>] ?)\d+\.\d{3}'), r"\1_"),
]


@pytest.fixture(scope="module")
def client() -> Client:
    found = Client()
    for statement in TABLES.split(";"):
        found.run(statement)
    found.run_jobs()
    return found


def masked(line: str) -> str:
    for pattern, text in MASKS:
        line = pattern.sub(text, line)
    return line


def rows(client: Client, statement: str) -> list[str]:
    """The lines of an answer, masked."""
    found = ["|".join("∅" if v is None else v for v in row) for row in client.run(statement)]
    return [masked(line) for row in found for line in row.split("\n")]


@pytest.mark.parametrize("path", SHAPES, ids=lambda p: p.stem)
def test_shape(path: Path) -> None:
    client = Client()
    for statement in TABLES.split(";"):
        client.run(statement)
    client.run_jobs()
    written, wrong = [], []
    for comments, statement, expected in blocks(path.read_text()):
        got = rows(client, statement)
        client.run_jobs()
        if got != expected:
            wrong.append("\n".join([statement, "  expected", *expected, "  got", *got]))
        written.append("\n".join([*comments, *("> " + line for line in statement.split("\n")), *got]))
    if os.environ.get("RECORD"):
        path.write_text("\n\n".join(written) + "\n")
    assert not wrong, "\n".join(wrong)


def test_ten_shapes_at_least() -> None:
    assert len(SHAPES) >= 10


# -- the DPU estimate ----------------------------------------------------------------------------------------------------


def dpu(client: Client, statement: str) -> dict[str, str]:
    """The lines of the block behind EXPLAIN (ANALYZE, VERBOSE) of a statement."""
    lines = [row or "" for (row,) in client.run(f"explain analyze verbose {statement}")]
    block = lines[lines.index("Statement DPU Estimate:") + 1 :]
    return dict(line.strip().split(": ", 1) for line in block)


def test_documented_sample() -> None:
    client = Client()
    client.run("create table test_table (id int primary key, context varchar)")
    found = dpu(client, "insert into test_table values (1, 'name1'), (2, 'name2'), (3, 'name3')")
    assert found["Write"] == "0.01875 DPU (Transaction minimum: 0.05000)"
    reads = 3 * limits.DPU_UNIT_BYTES * limits.DPU_PER_BYTE_READ  # the three uniqueness checks
    assert found["Read"] == f"{reads:.5f} DPU (Transaction minimum: 0.00375)"
    assert list(found) == ["Compute", "Read", "Write", "Total"]
    assert client.run("select count(*) from test_table") == [("3",)]
    parts = [float(found[name].split()[0]) for name in ("Compute", "Read", "Write")]
    assert abs(sum(parts) - float(found["Total"].split()[0])) < 0.00002, "the total is without minimums"


@pytest.mark.parametrize(
    ("statement", "writes", "reads"),
    [
        ("select * from account where id = 5", 0, 1),
        ("select * from account where id = 99999", 0, 1),  # a read that finds nothing is a read
        ("select 1", 0, 0),
        ("update account set owner = owner where id = 7", 3, 1),  # the row, account_branch's entry out and in
        ("update account set balance = 1 where id = 7", 1, 1),
        ("delete from account where id = 8", 3, 1),  # the row and two entries
        ("insert into log values (now(), 'x')", 1, 0),  # no key, no check
        ("insert into account values (900, 'x', 1, 1, '2024-05-05')", 3, 1),
        ("insert into account values (1, 'x', 1, 1, '2024-05-05') on conflict do nothing", 0, 1),
    ],
)
def test_small_rows_cost_one_unit_each(client: Client, statement: str, writes: int, reads: int) -> None:
    client.run("begin")
    found = dpu(client, statement)
    client.run("rollback")
    unit = limits.DPU_UNIT_BYTES
    write, read = writes * unit * limits.DPU_PER_BYTE_WRITTEN, reads * unit * limits.DPU_PER_BYTE_READ
    assert found["Write"].startswith(f"{write:.5f} DPU") and found["Read"].startswith(f"{read:.5f} DPU"), found
    assert ("(Transaction minimum: 0.05000)" in found["Write"]) == (0 < write < limits.DPU_WRITE_MIN)
    assert ("(Transaction minimum: 0.00375)" in found["Read"]) == (0 < read < limits.DPU_READ_MIN)


def test_large_rows_cost_their_bytes(client: Client) -> None:
    client.run("begin")
    found = dpu(client, f"insert into log values (now(), '{'x' * 5000}')")
    read = dpu(client, "select * from log where line like 'xxx%'")
    client.run("rollback")
    bytes_written = float(found["Write"].split()[0]) / limits.DPU_PER_BYTE_WRITTEN
    assert 5000 < bytes_written < 5100
    bytes_read = float(read["Read"].split()[0]) / limits.DPU_PER_BYTE_READ
    assert bytes_written < bytes_read < bytes_written + 31 * 64


# -- options -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "sqlstate", "message"),
    [
        ("explain (timing) select 1", "22023", "EXPLAIN option TIMING requires ANALYZE"),
        ("explain (wal) select 1", "22023", "EXPLAIN option WAL requires ANALYZE"),
        (
            "explain (analyze, generic_plan) select 1",
            "22023",
            "EXPLAIN options ANALYZE and GENERIC_PLAN cannot be used together",
        ),
        ("explain (format html) select 1", "22023", 'unrecognized value for EXPLAIN option "format": "html"'),
        ("explain (format) select 1", "42601", "format requires a parameter"),
        ("explain (costs maybe) select 1", "42601", "costs requires a Boolean value"),
        ("explain (costs 2) select 1", "42601", "costs requires a Boolean value"),
        ("explain (memory) select 1", "42601", 'unrecognized EXPLAIN option "memory"'),
        ("explain (serialize) select 1", "42601", 'unrecognized EXPLAIN option "serialize"'),
        ("explain execute p", "0A000", "unsupported statement: Execute"),
        ("explain create table x as select 1", "0A000", "unsupported statement: CreateTableAs"),
        ("explain declare c cursor for select 1", "0A000", "unsupported statement: DeclareCursor"),
        ("explain select * from account tablesample system (1)", "0A000", "TABLESAMPLE clause not supported"),
        ("explain select * from nowhere", "42P01", 'relation "nowhere" does not exist'),
        ("explain analyze select 1 / 0", "22012", "division by zero"),
    ],
)
def test_refusals(client: Client, statement: str, sqlstate: str, message: str) -> None:
    assert client.error(statement) == (sqlstate, message)


@pytest.mark.parametrize("options", ["buffers", "settings", "buffers off", "analyze, wal", "analyze, buffers, timing off"])
def test_accepted_without_effect(client: Client, options: str) -> None:
    found = rows(client, f"explain (costs off, summary off, {options}) select 1")
    assert found[0].startswith("Result") and len(found) == 1


def test_generic_plan_takes_parameters_nobody_gives(client: Client) -> None:
    found = rows(client, "explain (generic_plan, costs off) select owner from account where id = $1")
    assert found[-1] == "          Index Cond: (id = $1)"


def test_array_parameter_is_an_index_condition(client: Client) -> None:
    statement = "explain (analyze, costs off, timing off, summary off) select owner from account where id = any($1) and branch > 3"
    assert [row for (row,) in client.run(statement, ["{3,4,4,5,7000}"])] == [
        "Index Only Scan using account_pkey on account (actual rows=2 loops=1)",
        "  -> Storage Scan on account_pkey (actual rows=2 loops=1)",
        "      Projections: owner, branch",
        "      Filters: (branch > 3)",
        "      Rows Filtered: 1",
        "      -> B-Tree Scan on account_pkey (actual rows=3 loops=1)",
        "          Index Cond: (id = ANY ('{3,4,4,5,7000}'::integer[]))",
    ]


def test_summary_and_verbose_without_analyze(client: Client) -> None:
    found = rows(client, "explain (summary, verbose, costs off) select 1")
    assert found[:2] == ["Result", "  Output: 1"]
    assert re.fullmatch(r"Query Identifier: [a-z2-7]{13}", found[2])
    assert found[3:] == ["Planning Time: _ ms"]


def test_json_says_what_text_says(client: Client) -> None:
    select = "select owner, count(*) from account where lower(owner) > 'a' and opened <> '2024-01-03' group by owner order by 2"
    text = rows(client, f"explain (analyze, timing off, summary off) {select}")
    (document,) = json.loads(client.run(f"explain (analyze, timing off, summary off, format json) {select}")[0][0] or "")
    pending, properties = [document["Plan"]], set()
    while pending:
        node = pending.pop()
        properties |= set(node)
        pending += node.get("Plans", [])
    names = {line.strip().split(": ")[0] for line in text if ": " in line} - {"Batches"}
    assert names <= properties | {"Sort Method"}
    assert {"Filters", "Rows Filtered", "Filter", "Group Key", "Sort Space Used", "Peak Memory Usage"} <= properties


def test_index_condition_above_is_one_line_of_guesses(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "explain_index_cond_above"
    statement = "explain (costs off) select owner from account where id = 5"
    assert sum("Index Cond: (id = 5)" in line for line in rows(client, statement)) == 1
    monkeypatch.setitem(guesses.GUESSES, key, guesses.GUESSES[key]._replace(answer=True))
    assert rows(client, statement)[1] == "  Index Cond: (id = 5)"
    assert sum("Index Cond: (id = 5)" in line for line in rows(client, statement)) == 2


def test_errors_are_the_statements(client: Client) -> None:
    with pytest.raises(DsqlError) as refused:
        client.run("explain (nope) select 1")
    assert refused.value.position == 10


# -- writes --------------------------------------------------------------------------------------------------------------


def test_analyze_of_a_write_writes(client: Client) -> None:
    client.run("explain delete from log")
    assert client.run("select count(*) from log") == [("30",)]
    client.run("begin")
    client.run("explain analyze delete from log")
    assert client.run("select count(*) from log") == [("0",)]
    client.run("rollback")
    assert client.run("select count(*) from log") == [("30",)]
    client.run("explain analyze insert into log values (now(), 'kept')")
    assert client.run("select count(*) from log where line = 'kept'") == [("1",)]
    client.run("delete from log where line = 'kept'")


def test_analyze_of_a_write_obeys_the_transaction(client: Client) -> None:
    client.run("begin read only")
    with pytest.raises(Exception, match="cannot execute DELETE in a read-only transaction"):
        client.run("explain analyze delete from log")
    client.run("rollback")
    with pytest.raises(Exception, match="duplicate key value"):
        client.run("explain analyze insert into account values (1, 'x', 1, 1, '2024-01-01')")


# (The tests from here on make databases of their own: a process has one catalog at a time, so `client` is gone.)

# -- estimates -----------------------------------------------------------------------------------------------------------


def test_estimates_follow_analyze() -> None:
    client = Client()
    client.run("create table s (id int primary key, v text)")
    client.run("insert into s select g, 'x' from generate_series(1, 300) g")
    assert client.run("select reltuples from pg_class where relname = 's'") == [("-1",)]
    assert "rows=1000000 " in (client.run("explain select * from s")[0][0] or "")
    client.run("analyze s")
    client.run_jobs()
    assert client.run("select reltuples from pg_class where relname = 's'") == [("300",)]
    assert "rows=300 " in (client.run("explain select * from s")[0][0] or "")


# -- any plan ------------------------------------------------------------------------------------------------------------


def every_plan(node: dict) -> list[dict]:
    return [node, *(found for child in node.get("Plans", []) for found in every_plan(child))]


def check_sums(node: dict, sql: str) -> None:
    """What must hold between a node and those below it, whatever the plan."""
    kinds = [child["Node Type"] for child in node.get("Plans", [])]
    if node["Node Type"] == "Storage Scan" and node["Actual Loops"] == 1:
        (tree,) = node["Plans"]
        assert tree["Actual Rows"] >= node["Actual Rows"] + node.get("Rows Filtered", 0), sql
    if kinds == ["Storage Scan"] and node["Actual Loops"] == 1:
        (storage,) = node["Plans"]
        assert storage["Actual Rows"] == node["Actual Rows"] + node.get("Rows Removed by Filter", 0), sql


def test_random_plans_show_their_rows() -> None:
    """The root's actual rows are the rows of the query, every format can be read, and nothing is left unnamed."""
    queries = Queries(int(os.environ.get("RANDOM_SEED", "3")))
    client = Client()
    for statement in (*SCHEMA, *queries.rows()):
        client.run(statement)
    client.run_jobs()
    for sql, _ in queries.statements(int(os.environ.get("RANDOM_COUNT", "150"))):
        try:
            count = len(client.run(sql))
        except ExecuteError:
            continue
        (text,) = client.run(f"explain (analyze, verbose, format json) {sql}")[0]
        (document,) = json.loads(text or "")
        nodes = every_plan(document["Plan"])
        assert nodes[0]["Actual Rows"] == count, sql
        for node in nodes:
            check_sums(node, sql)
            outputs = [*node.get("Output", ()), node.get("Filter", ""), node.get("Index Cond", ""), node.get("Join Filter", "")]
            assert not any("row_key" in o or o == "?" or re.search(r"\bcolumn\d+\b(?!.*VALUES)", o) for o in outputs), (sql, outputs)
        lines = rows(client, f"explain (analyze, verbose) {sql}")
        assert sum(" loops=" in line or "(never executed)" in line for line in lines) == len(nodes), sql
        for form in ("yaml", "xml"):
            assert client.run(f"explain (format {form}) {sql}")
