r"""What psql's \d commands show of every kind of object, as golden texts: DSQL's access methods, INCLUDE lists, lz4."""

import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

HERE = Path(__file__).parent
PSQL = Path("/usr/lib/postgresql/15/bin/psql")


@pytest.fixture(scope="module")
def described(server):
    """The server after describe.sql."""
    if not PSQL.exists() and shutil.which("psql") is None:
        pytest.skip("no psql to look with")
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        text = "\n".join(line for line in (HERE / "describe.sql").read_text().splitlines() if not line.startswith("--"))
        for sql in filter(None, (part.strip() for part in text.split(";\n"))):
            rows = connection.execute(sql)
            if rows.description:
                connection.execute(f"call sys.wait_for_job('{rows.fetchone()[0]}')")
    yield server
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("alter default privileges in schema shop revoke select on tables from shop_reader")
        connection.execute("drop schema shop cascade")
        connection.execute("drop role shop_reader")


def test_describe(described, request):
    commands = (HERE / "describe.psql").read_text()
    psql = str(PSQL) if PSQL.exists() else "psql"
    shown = subprocess.run(
        [psql, "-X", "-a", described.dsn], input=commands, capture_output=True, text=True, timeout=60, check=False
    )
    assert shown.stderr == ""
    found = "\n".join(line.rstrip() for line in shown.stdout.splitlines()) + "\n"
    assert found == (HERE / "describe.golden").read_text()
