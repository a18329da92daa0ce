"""Catalog functions: definitions in DSQL's words, names, privileges, settings."""

import pytest
from opendsql.catalog import context
from opendsql.catalog.functions import table
from opendsql.errors import DsqlError

F = table()


@pytest.fixture
def made(session):
    session.run("create table p (id bigint primary key, code varchar(9) unique)")
    session.run(
        "create table t (id bigint generated always as identity (cache 1) primary key, a int check (a > 0),"
        ' "Odd" text, p_id bigint references p on delete cascade deferrable initially deferred)'
    )
    session.run('create unique index async u on t (a, lower("Odd")) include (p_id) nulls not distinct where a > 3')
    session.run("create index async e on t ((a + 1) nulls first)")
    session.run("create view v as select id, a from t where a > 1")
    session.run("comment on table t is 'about t'")
    session.run("comment on column t.a is 'about a'")
    session.run("create function f(x int, y text default 'q') returns int language sql immutable as 'select x'")
    session.run("create role r with login")
    session.run("grant select on t to r")

    def call(name, *args):
        with context.use(session.catalog(), session):
            return F[name](*args)

    return call


def test_definitions(made):
    oid = lambda name: made("to_regclass", name)  # noqa: E731
    assert made("pg_get_indexdef", oid("e")) == "CREATE INDEX e ON public.t USING btree_index (((a + 1)) NULLS FIRST)"
    assert made("pg_get_indexdef", oid("u")) == (
        'CREATE UNIQUE INDEX u ON public.t USING btree_index (a, lower("Odd")) INCLUDE (p_id) NULLS NOT DISTINCT WHERE (a > 3)'
    )
    assert made("pg_get_indexdef", oid("u"), "2", "t") == 'lower("Odd")'
    assert made("pg_get_indexdef", oid("t_pkey")) == (
        'CREATE UNIQUE INDEX t_pkey ON public.t USING btree_index (id) INCLUDE (a, "Odd", p_id)'
    )
    assert made("pg_get_constraintdef", oid("t_pkey")) == 'PRIMARY KEY (id) INCLUDE (a, "Odd", p_id)'
    assert made("pg_get_constraintdef", oid("p_code_key")) == "UNIQUE (code)"
    assert made("pg_get_viewdef", oid("v")) == " SELECT id,\n    a\n   FROM t\n  WHERE (a > 1);"
    assert made("pg_get_serial_sequence", "t", "id") == "public.t_id_seq"


def test_constraints(made, session):
    t = session.catalog().relations[("public", "t")]
    assert made("pg_get_constraintdef", str(t.checks[0].oid)) == "CHECK ((a > 0))"
    assert made("pg_get_constraintdef", str(t.checks[0].oid), "t") == "CHECK (a > 0)"
    assert made("pg_get_constraintdef", str(t.foreign_keys[0].oid)) == (
        "FOREIGN KEY (p_id) REFERENCES p(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED"
    )


def test_names_and_comments(made):
    assert made("to_regclass", "nosuch") is None and made("to_regclass", "pg_class") == "1259"
    assert made("to_regclass", 'public."T"') is None
    t = made("to_regclass", "public.t")
    assert made("obj_description", t, "pg_class") == "about t" and made("col_description", t, "2") == "about a"
    assert made("pg_table_is_visible", t) == "t" and made("pg_table_is_visible", "1259") == "t"
    assert made("pg_get_userbyid", "15579") == "admin"
    assert made("to_regtype", "character varying") == "1043" and made("to_regtype", "int[]") == "1007"
    assert made("format_type", "1700", str((10 << 16 | 2) + 4)) == "numeric(10,2)"


def test_functions(made):
    oid = made("to_regproc", "f")
    assert made("pg_get_function_arguments", oid) == "x integer, y text DEFAULT 'q'::text"
    assert made("pg_get_function_identity_arguments", oid) == "x integer, y text"
    assert made("pg_get_function_result", oid) == "integer"
    assert "AS $function$select x$function$" in made("pg_get_functiondef", oid)


def test_privileges(made):
    assert made("has_table_privilege", "r", "t", "select") == "t"
    assert made("has_table_privilege", "r", "t", "insert") == "f"
    assert made("has_table_privilege", "t", "INSERT, SELECT") == "t"
    assert made("has_schema_privilege", "r", "public", "create") == "f"
    assert made("pg_has_role", "admin", "r", "usage") == "t"
    with pytest.raises(DsqlError) as caught:
        made("has_table_privilege", "nosuch", "t", "select")
    assert caught.value.message == 'role "nosuch" does not exist'


def test_settings(made, session):
    assert made("version") == "PostgreSQL 16"
    assert made("current_setting", "server_version") == "16.15"
    assert made("current_setting", "app.x", "t") is None
    assert made("set_config", "search_path", "app, public", "f") == "app, public"
    assert session.settings.search_path == ("app", "public")
    with pytest.raises(DsqlError) as caught:
        made("set_config", "work_mem", "1MB", "f")
    assert caught.value.message == 'setting configuration parameter "work_mem" not supported'
    assert made("current_schemas", "t") == "{pg_catalog,public}"


def test_sys(made):
    job = "aaaaaaaaaaaaaaaaaaaaaaaaae"
    assert made("uuid_to_base32_str", made("base32_str_to_uuid", job)) == job
    assert made("dsql_major_version") == "1"
