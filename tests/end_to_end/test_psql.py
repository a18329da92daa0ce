"""psql, unmodified: meta-commands and scripts. Needs postgresql-client; says so when it is absent."""

import shutil
import subprocess

import psycopg
import pytest

PSQL = shutil.which("psql")
pytestmark = pytest.mark.skipif(PSQL is None, reason="psql is not installed (package postgresql-client): psql tests not run")

SCRIPT = """
\\set ON_ERROR_STOP on
DROP TABLE IF EXISTS psql_orders;
CREATE TABLE psql_orders (id bigint PRIMARY KEY, customer text NOT NULL, total numeric(10,2) DEFAULT 0, placed timestamptz);
INSERT INTO psql_orders (id, customer, total) VALUES (1, 'ann', 10.50), (2, 'bob', 7);
BEGIN; UPDATE psql_orders SET total = total * 2 WHERE id = 1; COMMIT;
SELECT id, customer, total FROM psql_orders ORDER BY id;
SELECT count(*), sum(total) FROM psql_orders; SELECT 'two statements' AS note;
"""


def ran(server, *arguments: str, script: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PSQL, "-X", "-h", "127.0.0.1", "-p", str(server.port), "-U", "admin", "-d", "postgres", *arguments],
                          input=script, capture_output=True, text=True, timeout=60)


def psql(server, *arguments: str, script: str | None = None) -> str:
    result = ran(server, *arguments, script=script)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "ERROR" not in result.stderr, result.stderr
    return result.stdout


def test_script(server) -> None:
    out = psql(server, "-A", "-t", script=SCRIPT)
    assert "1|ann|21.00\n2|bob|7.00\n2|28.00\ntwo statements\n" in out


def test_meta_commands(server) -> None:
    psql(server, script=SCRIPT)
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        job = connection.execute("CREATE INDEX ASYNC IF NOT EXISTS psql_orders_customer ON psql_orders (customer)").fetchone()
        connection.execute(f"CALL sys.wait_for_job('{job[0]}')")
    described = psql(server, "-c", "\\d psql_orders")
    for expected in ("id", "bigint", "not null", "customer", "numeric(10,2)", "timestamp with time zone", '"psql_orders_pkey" PRIMARY KEY', '"psql_orders_customer"'):
        assert expected in described, described
    assert "psql_orders" in psql(server, "-c", "\\dt")
    assert "psql_orders_customer" in psql(server, "-c", "\\di")
    for command in ("\\d", "\\dn", "\\dv", "\\ds", "\\df", "\\du", "\\l", "\\dT", "\\d+ psql_orders", "\\conninfo"):
        psql(server, "-c", command)
    assert "ERROR:  function pg_table_size not supported" in ran(server, "-c", "\\dt+").stderr  # as pg_relation_size and the others


def test_copy_through_psql(server) -> None:
    psql(server, "-c", "DROP TABLE IF EXISTS psql_copy", "-c", "CREATE TABLE psql_copy (id int PRIMARY KEY, note text)")
    psql(server, script="COPY psql_copy FROM STDIN;\n1\tone\n2\t\\N\n\\.\n")
    assert psql(server, "-c", "COPY psql_copy TO STDOUT") == "1\tone\n2\t\\N\n"
    assert psql(server, "-c", "COPY psql_copy TO STDOUT WITH (FORMAT csv, HEADER)") == "id,note\n1,one\n2,\n"


def test_error_position(server) -> None:
    result = ran(server, "-c", "SELECT nothing FROM pg_class")
    assert 'ERROR:  column "nothing" does not exist\nLINE 1: SELECT nothing FROM pg_class\n               ^' in result.stderr
