"""Computed relations: every one of PostgreSQL 16's is there, rows fit their columns, contents of the usual ones."""

import pytest
from opendsql.catalog import virtual


@pytest.fixture
def made(session):
    session.run("create table p (id bigint primary key, code text unique)")
    session.run(
        "create table t (id bigint generated always as identity (cache 1) primary key, a int default 7 check (a > 0),"
        " v varchar(10) not null, n numeric(10,2), p_id bigint references p on delete cascade, gone int)"
    )
    session.run("create index async i on t (a, lower(v)) include (n) where a > 3")
    session.run("alter table t drop column gone")
    session.run("create view v as select id, a from t")
    session.run("create domain d as int check (value > 0)")
    session.run("create function f(x int) returns int language sql as 'select x'")
    session.run("create statistics st on a, v from t")
    session.run("create role r with login")
    session.run("grant select on t to r")
    session.run("aws iam grant r to 'arn:aws:iam::123456789012:role/x'")
    return session


def rows(session, name, schema="pg_catalog"):
    relation = virtual.find(schema, name)
    names = [column for column, _ in relation.columns]
    return [dict(zip(names, row, strict=True)) for row in relation.rows(session.catalog(), session)]


def one(found, **wanted):
    (row,) = [r for r in found if all(r[k] == v for k, v in wanted.items())]
    return row


def test_every_relation_is_there():
    known = {name for schema, name in virtual.relations() if schema == "pg_catalog"}
    assert {"pg_class", "pg_proc", "pg_stat_io", "pg_publication_rel", "pg_ts_config_map", "pg_available_extensions"} <= known
    assert len(known) > 130
    assert virtual.find(None, "pg_class") is virtual.find("pg_catalog", "pg_class")
    assert virtual.find(None, "tables") is None and virtual.find("information_schema", "tables") is not None
    assert not set(virtual.builders()) - set(virtual.relations())


def test_rows_fit(made):
    for key, relation in virtual.relations().items():
        builder = virtual.builders().get(key)
        names = {fact.name for fact in relation.facts}
        for row in builder(made.catalog(), made) if builder else ():
            assert isinstance(row, tuple) or set(row) <= names, (key, set(row) - names)
        for row in relation.rows(made.catalog(), made):
            assert len(row) == len(relation.columns)
            empty = [f.name for f, value in zip(relation.facts, row, strict=True) if f.not_null and value is None]
            assert not empty, (key, empty)


def test_pg_class(made):
    classes = rows(made, "pg_class")
    kinds = {r["relname"]: r["relkind"] for r in classes if int(r["oid"]) >= 26000}
    assert kinds == {
        "p": "r", "p_pkey": "i", "p_code_key": "i", "t": "r", "t_pkey": "i", "i": "i", "t_id_seq": "S", "v": "v",
    }
    table = one(classes, relname="t")
    assert (table["reltuples"], table["relpages"], table["relnatts"], table["relchecks"]) == ("-1", "0", "6", "1")
    assert table["relacl"] == "{admin=arwdDxt/admin,r=r/admin}"
    assert one(rows(made, "pg_am"), oid=table["relam"])["amname"] == "btree_table"
    assert one(rows(made, "pg_am"), oid=one(classes, relname="i")["relam"])["amname"] == "btree_index"
    assert one(classes, relname="pg_class")["relkind"] == "r"


def test_oids_are_unique(made):
    for name in ("pg_class", "pg_type", "pg_proc", "pg_operator", "pg_constraint", "pg_namespace", "pg_attrdef"):
        oids = [r["oid"] for r in rows(made, name)]
        assert len(oids) == len(set(oids)), name


def test_pg_attribute(made):
    table = one(rows(made, "pg_class"), relname="t")["oid"]
    columns = {r["attname"]: r for r in rows(made, "pg_attribute") if r["attrelid"] == table and int(r["attnum"]) > 0}
    assert list(columns) == ["id", "a", "v", "n", "p_id", "........pg.dropped.6........"]
    assert (columns["id"]["attidentity"], columns["id"]["attnotnull"]) == ("a", "t")
    assert (columns["a"]["atthasdef"], columns["v"]["atttypmod"], columns["v"]["attcompression"]) == ("t", "14", "l")
    assert columns["........pg.dropped.6........"]["attisdropped"] == "t"


def test_pg_index_and_constraint(made):
    classes = {r["relname"]: r["oid"] for r in rows(made, "pg_class")}
    index = one(rows(made, "pg_index"), indexrelid=classes["i"])
    assert (index["indkey"], index["indnkeyatts"], index["indnatts"], index["indisvalid"]) == ("2 0 4", "2", "3", "f")
    assert (index["indexprs"], index["indpred"]) == ("lower((v)::text)", "(a > 3)")
    key = one(rows(made, "pg_constraint"), conname="t_p_id_fkey")
    assert (key["contype"], key["conkey"], key["confkey"], key["confdeltype"]) == ("f", "{5}", "{1}", "c")
    assert key["conindid"] == classes["p_pkey"] and key["confrelid"] == classes["p"]
    assert one(rows(made, "pg_constraint"), conname="t_a_check")["conbin"] == "(a > 0)"


def test_views_over_the_catalog(made):
    assert one(rows(made, "pg_indexes"), indexname="i")["indexdef"] == (
        "CREATE INDEX i ON public.t USING btree_index (a, lower((v)::text)) INCLUDE (n) WHERE (a > 3)"
    )
    assert one(rows(made, "pg_views"), viewname="v")["definition"] == " SELECT id,\n    a\n   FROM t;"
    assert one(rows(made, "pg_settings"), name="server_version")["setting"] == "16.15"
    assert one(rows(made, "pg_roles"), rolname="admin")["oid"] == "15579"
    assert [r["extname"] for r in rows(made, "pg_extension")] == ["plpgsql"]
    assert [r["cfgname"] for r in rows(made, "pg_ts_config")] == ["simple"]
    assert rows(made, "pg_available_extensions") == []
    mapping = one(rows(made, "iam_pg_role_mappings", "sys"))
    assert (mapping["pg_role_name"], mapping["grantor_pg_role_oid"], mapping["grantor_pg_role_name"]) == ("r", "15579", "admin")


def test_information_schema(made):
    columns = [r for r in rows(made, "columns", "information_schema") if r["table_name"] == "t"]
    assert [(r["column_name"], r["data_type"], r["is_nullable"]) for r in columns] == [
        ("id", "bigint", "NO"), ("a", "integer", "YES"), ("v", "character varying", "NO"), ("n", "numeric", "YES"),
        ("p_id", "bigint", "YES"),
    ]
    assert columns[0]["identity_generation"] == "ALWAYS" and columns[1]["column_default"] == "7"
    assert (columns[3]["numeric_precision"], columns[3]["numeric_scale"]) == ("10", "2")
    kinds = {r["constraint_name"]: r["constraint_type"] for r in rows(made, "table_constraints", "information_schema")}
    assert kinds["t_pkey"] == "PRIMARY KEY" and kinds["p_code_key"] == "UNIQUE" and kinds["t_p_id_fkey"] == "FOREIGN KEY"
    rule = one(rows(made, "referential_constraints", "information_schema"))
    assert (rule["unique_constraint_name"], rule["delete_rule"], rule["match_option"]) == ("p_pkey", "CASCADE", "NONE")
    schemas = {r["schema_name"] for r in rows(made, "schemata", "information_schema")}
    assert schemas == {"public", "sys", "pg_catalog", "information_schema"}


def test_jobs_is_a_table(session):
    jobs = session.catalog().relations[("sys", "jobs")]
    assert [c.name for c in jobs.live_columns] == [
        "job_id", "status", "details", "job_type", "class_id", "object_id", "object_name", "start_time", "update_time",
    ]
    assert jobs.oid < 1024
