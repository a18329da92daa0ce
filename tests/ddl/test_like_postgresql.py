"""Scripts of DDL and what it makes of DML: every statement's outcome is PostgreSQL's (15; what 16 changed is left out).

scripts/*.sql: statements that end in `;` at a line's end; `\role name` lets the next ones run as that role. Compared are rows
(in order), or SQLSTATE, message, DETAIL and HINT. DSQL's own words (ASYNC, CACHE) are taken out for PostgreSQL.
"""

import re
from pathlib import Path

import pytest
from opendsql.catalog.settings import SessionSettings

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.sql"))


def _ours(client, sql):
    try:
        rows = client.run(sql)
    except Exception as error:
        if getattr(error, "sqlstate", None) is None:
            raise
        if client.session.in_transaction and client.session.state != "failed":
            client.session.fail()
        return ("error", error.sqlstate, error.message, error.detail, error.hint)
    client.run_jobs()
    return ("ok", [] if " async " in sql else [tuple(row) for row in rows])


def _text(value):
    if value is None or isinstance(value, str):
        return value
    return {True: "t", False: "f"}[value] if isinstance(value, bool) else str(value)


def _theirs(connection, sql):
    plain = re.sub(r"(?i)\(cache 1\)|cache 1\b", "", sql.replace(" index async ", " index ").replace("table async", "table"))
    try:
        cursor = connection.execute(plain)
        rows = cursor.fetchall() if cursor.description else []
    except Exception as error:
        diag = error.diag
        return ("error", error.sqlstate, diag.message_primary, diag.message_detail, diag.message_hint)
    return ("ok", [tuple(_text(value) for value in row) for row in rows])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_script(postgres, client, script):
    text = "\n".join(line for line in script.read_text().splitlines() if not line.startswith("--"))
    different = []
    postgres.execute("create role admin superuser")
    try:
        postgres.execute("set role admin")
        for sql in filter(None, (part.strip() for part in text.split(";\n"))):
            if sql.startswith("\\role"):
                name = sql.split()[1]
                postgres.execute(f"set role {name}")
                client.session.settings = SessionSettings(name)
                continue
            ours, theirs = _ours(client, sql), _theirs(postgres, sql)
            if ours != theirs:
                different.append(f"{sql}\n    ours   {ours}\n    theirs {theirs}")
    finally:
        postgres.execute("rollback")
        postgres.execute("reset role")
        found = postgres.execute("select rolname from pg_roles where oid >= 16384").fetchall()
        for (name,) in found:
            postgres.execute(f'drop owned by "{name}" cascade')
        for (name,) in found:
            postgres.execute(f'drop role "{name}"')
    assert not different, "\n".join(different)
