"""Shapes of plans: which tree, which bounds, which join; and what a lifted literal does to them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from opendsql.catalog.model import Catalog, Index, Table
from opendsql.query.planner import Planner, child_nodes
from sample_catalog import CATALOG, table


def planner_over(catalog: Catalog = CATALOG) -> Planner:
    return Planner(lambda session: catalog, compile_program=lambda ir: None)


def planned(sql: str, catalog: Catalog = CATALOG, **request: Any) -> Any:
    given = {"normalized": sql, "param_oids": [], "literals": [], "session": None, **request}
    return planner_over(catalog).plan(SimpleNamespace(text=sql, **given))


def node(sql: str, op: str, catalog: Catalog = CATALOG) -> dict[str, Any]:
    stack = [planned(sql, catalog).ir["plan"]]
    while stack:
        found = stack.pop()
        if found["op"] == op:
            return found
        stack.extend(child_nodes(found))
    raise AssertionError(f"no {op} in the plan of {sql}")


def tree_of(name: str) -> int:
    return CATALOG.relations[("public", name)].oid


def with_table(changed: Table) -> Catalog:
    return replace(
        CATALOG,
        relations={**CATALOG.relations, ("public", changed.name): changed},
        by_oid={**CATALOG.by_oid, changed.oid: changed},
    )


def test_point_query_is_one_scan() -> None:
    plan = planned("select v from t where id = $1").ir
    scan = plan["plan"]
    assert (scan["op"], scan["cols"], scan["key_point"], scan["filter"]) == ("scan", [1], True, None)
    assert scan["bounds"]["eq"] == [("param", 0, 23)]
    assert plan["params"] == [23]


def test_update_reads_the_old_row_and_its_key() -> None:
    update = planned("update pgbench_accounts set abalance = abalance + $1 where aid = $2").ir["plan"]
    assert update["input"]["cols"] == [0, 1, 2, 3, -1]
    assert (update["row_key"], update["old"]) == (4, 0)
    assert [column for column, _ in update["set"]] == [2]


@pytest.mark.parametrize(
    ("where", "eq", "in_", "lo", "hi", "filtered"),
    [
        ("a = 1", 1, None, False, False, False),
        ("a = 1 and b = 2", 2, None, False, False, False),
        ("a = 1 and b > 2", 1, None, True, False, False),
        ("a = 1 and b between 2 and 5", 1, None, True, True, False),
        ("a in (1, 2, 3)", 0, 3, False, False, False),
        ("a = 1 and b in (1, 2)", 1, 2, False, False, False),
        ("b = 2", 0, None, False, False, True),
        ("a > 1 and s = 2", 0, None, True, False, True),
        ("(a, b) > (1, 2)", 0, None, True, False, True),
        ("a = 5000000000", 1, None, False, False, True),
        ("a < 5000000000", 0, None, False, True, True),
        ("a = s", 0, None, False, False, True),
    ],
)
def test_bounds(where: str, eq: int, in_: int | None, lo: bool, hi: bool, filtered: bool) -> None:
    scan = node(f"select a, b, s from u where {where}", "scan")
    bounds = scan["bounds"]
    assert len(bounds["eq"]) == eq
    assert (len(bounds["in"]) if bounds["in"] is not None else None) == in_
    assert (bounds["lo"] is not None, bounds["hi"] is not None, scan["filter"] is not None) == (lo, hi, filtered)


def test_like_prefix_is_a_range() -> None:
    scan = node("select v from t where v like 'ab%'", "scan")
    assert scan["bounds"]["lo"] == (("const", 25, -1, "ab"), True)
    assert scan["bounds"]["hi"] == (("const", 25, -1, "ac"), False)
    assert scan["filter"] is None
    assert node("select v from t where v like 'ab%c'", "scan")["filter"] is not None


def test_secondary_index_looks_rows_up() -> None:
    lookup = node("select * from t where n = 5", "lookup")
    assert lookup["row_key"] == ("col", 0)
    assert lookup["input"]["cols"] == [-2]
    assert lookup["input"]["key_point"] is True
    covered = node("select n, id from t where n = 5", "scan")
    assert covered["tree"] != tree_of("t")


def test_order_from_the_key() -> None:
    assert planned("select id from t order by id limit 3").ir["plan"]["input"]["limit"] is not None
    assert node("select * from u where a = 1 order by b desc", "scan")["backward"] is True
    assert planned("select * from t order by id desc").ir["plan"]["op"] == "scan"
    assert planned("select * from t order by id desc nulls last").ir["plan"]["op"] == "sort"
    assert node("select * from t order by d limit 5", "sort")["limit"] == ("const", 20, -1, "5")


def test_invalid_index_is_maintained_not_used() -> None:
    base = CATALOG.relations[("public", "t")]
    assert isinstance(base, Table)
    changed = replace(base, indexes=tuple(replace(i, valid=False) for i in base.indexes))
    catalog = with_table(changed)
    assert node("select v from t where v = 'a'", "scan", catalog)["tree"] == base.oid
    insert = planned("insert into t (id) values (1)", catalog).ir["plan"]
    assert [i["name"] for i in insert["table"]["indexes"]] == ["t_v_idx", "t_n_key"]


def test_expression_index() -> None:
    base = table("words", "id int!,w text", "id")
    index = Index(99901, "words_lower", base.oid, ("(lower(w))",), (25,))
    catalog = with_table(replace(base, indexes=(index,)))
    scan = node("select id from words where lower(w) = 'x'", "scan", catalog)
    assert (scan["tree"], len(scan["bounds"]["eq"])) == (99901, 1)
    descriptor = planned("insert into words values (1, 'A')", catalog).ir["plan"]["table"]
    assert descriptor["indexes"][0]["keys"] == [("call", "lower", 25, [("col", 1)])]


def test_partial_index_needs_its_predicate() -> None:
    base = table("jobs", "id int!,state text,at bigint", "id")
    index = Index(99902, "jobs_open", base.oid, ("at",), (20,), predicate="(state = 'open'::text)")
    catalog = with_table(replace(base, indexes=(index,)))
    assert node("select id from jobs where at = 5 and state = 'open'", "scan", catalog)["tree"] == 99902
    assert node("select id from jobs where at = 5", "scan", catalog)["tree"] == base.oid
    lifted = {
        "normalized": "select id from jobs where at = $1 and state = $2",
        "literals": [("i4", "5"), ("s", "open")],
    }
    plan = planned("select id from jobs where at = 5 and state = 'open'", catalog, **lifted)
    assert plan.key_by_text


def test_small_side_drives_a_lookup_join() -> None:
    lookup = node("select t.v from u join t on t.id = u.t_id where u.a = 1 and u.b = 2", "lookup")
    assert lookup["tree"] == tree_of("t")
    assert lookup["input"]["tree"] == tree_of("u")
    assert node("select count(*) from u join t on t.id = u.t_id", "hash_join")["kind"] == "inner"


def test_subqueries_become_joins() -> None:
    assert node("select * from t where id in (select t_id from u)", "hash_join")["kind"] == "semi"
    assert node("select * from t where not exists (select 1 from u where t_id = id)", "hash_join")["kind"] == "anti"
    assert node("select * from t where id not in (select t_id from u)", "hash_join")["kind"] == "null_anti"
    assert planned("select (select max(b) from u where a = t.id) from t").ir["subplans"][0]["params"]


def test_left_join_that_cannot_pad_is_inner() -> None:
    assert node("select * from t left join u on u.t_id = t.id where u.s = 1", "lookup")["kind"] == "inner"
    assert node("select * from t left join u on u.t_id = t.id where u.s is null", "hash_join")["kind"] == "left"


def test_min_and_max_read_one_entry() -> None:
    assert node("select max(id) from t", "scan")["limit"] == ("const", 20, -1, "1")
    assert node("select max(id) from t", "scan")["backward"] is True
    scan = node("select min(b) from u where a = 3", "scan")
    assert (len(scan["bounds"]["eq"]), scan["limit"]) == (1, ("const", 20, -1, "1"))
    assert node("select max(d) from t", "scan")["limit"] is None
    assert node("select max(id), min(id) from t", "scan")["limit"] is None


def test_array_parameter_drives_lookups() -> None:
    lookup = node("select * from t where id = any($1)", "lookup")
    assert lookup["input"]["input"]["op"] == "srf"


def test_lifted_literals() -> None:
    plan = planned(
        "select v from t where n = 5 and v = 'x'",
        normalized="select v from t where n = $1 and v = $2",
        literals=[("i4", "5"), ("s", "x")],
    )
    assert plan.key_by_text is False
    assert plan.param_oids == [20, 25]  # the number is read as the column's bigint: no cast at run time


@pytest.mark.parametrize(
    ("sql", "normalized", "kinds"),
    [
        ("select v from t order by 1", "select v from t order by $1", ["i4"]),
        ("select v, count(*) from t group by 1", "select v, count(*) from t group by $1", ["i4"]),
        ("select v::varchar(3) from t", "select v::varchar($1) from t", ["i4"]),
        ("select 't'::regclass", "select $1::regclass", ["s"]),
        ("select v from t where v like 'a%'", "select v from t where v like $1", ["s"]),
        ("select interval '1' day", "select interval $1 day to second($2)", ["s", "i4"]),
        ("select id + 1 from t group by id + 1", "select id + $1 from t group by id + $2", ["i4", "i4"]),
    ],
)
def test_literals_that_must_stay(sql: str, normalized: str, kinds: list[str]) -> None:
    plan = planned(sql, normalized=normalized, literals=[(k, "") for k in kinds])
    assert plan.key_by_text is True


def test_lifted_after_explicit_parameters() -> None:
    plan = planned(
        "select v from t where id = $1 and n = 5",
        normalized="select v from t where id = $1 and n = $2",
        literals=[("i4", "5")],
    )
    assert (plan.key_by_text, plan.param_oids) == (False, [23, 20])


def test_catalog_rows_are_built_in() -> None:
    plan = planned("select relname from pg_catalog.pg_class")
    assert plan.ir["plan"]["op"] in ("rows", "project")
    assert plan.writes is False


def test_tables_of_a_plan() -> None:
    assert planned("select 1 from t, u").tables == tuple(sorted((tree_of("t"), tree_of("u"))))
