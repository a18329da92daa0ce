"""Random foreign-key schemas and writes: outcome of every statement and the final rows are PostgreSQL's."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import random_foreign_keys as cases  # noqa: E402

CASES = 64


def _postgres(connection, sql):
    try:
        cursor = connection.execute(sql)
        rows = cursor.fetchall() if cursor.description else []
        return ("ok", cursor.statusmessage if sql.split()[0] in ("insert", "update", "delete") else "", rows)
    except Exception as error:
        return ("error", error.sqlstate, [])


def _opendsql(client, sql):
    try:
        planned = client.plan(sql)
        tag = ""
        inside = client.session.in_transaction
        if planned.python is None and sql.split()[0] in ("insert", "update", "delete"):
            client.session.check()
            _, rows, count = client.session.execute(planned.program, [])
            tag = f"{planned.tag} 0 {count}" if planned.tag == "INSERT" else f"{planned.tag} {count}"
            if not inside and client.session.state != "idle":
                client.session.commit()
            return ("ok", tag, [])
        rows = client.run(sql)
        return ("ok", tag, [tuple(row) for row in rows])
    except Exception as error:
        if getattr(error, "sqlstate", None) is None:
            raise
        client.session.fail()
        return ("error", error.sqlstate, [])


def _rows(run, where, tables):
    found = {}
    for table in tables:
        rows = run(where, f"select id, x, y, p, q from {table} order by id")[2]
        found[table] = [tuple(None if v is None else str(v) for v in row) for row in rows]
    return found


@pytest.mark.parametrize("block", range(8))
def test_outcomes_and_rows_are_those_of_postgresql(postgres, in_process, block):
    size = CASES // 8
    for seed in range(block * size, (block + 1) * size):
        case = cases.case(seed)
        client = in_process.Client()
        try:
            for sql in case.create:
                assert _postgres(postgres, sql)[0] == "ok", sql
                client.run(sql)
            for script in case.scripts:
                for sql in script:
                    theirs, ours = _postgres(postgres, sql), _opendsql(client, sql)
                    if theirs[:2] != ours[:2]:
                        pytest.fail(f"seed {seed}: {sql}: PostgreSQL {theirs}, opendsql {ours}\n" + "\n".join(case.create))
                    if theirs[0] == "error" and script[0] == "begin":
                        _postgres(postgres, "rollback")
                        client.run("rollback")
                        break
                theirs, ours = _rows(_postgres, postgres, case.tables), _rows(_opendsql, client, case.tables)
                assert ours == theirs, (seed, script, case.create)
        finally:
            for sql in case.drop:
                _postgres(postgres, sql)
