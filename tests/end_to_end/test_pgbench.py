"""pgbench with custom scripts in its three protocols. Needs a pgbench on the PATH; says so when it is absent."""

import re
import shutil
import subprocess

import psycopg
import pytest

PGBENCH = shutil.which("pgbench")
pytestmark = pytest.mark.skipif(PGBENCH is None, reason="pgbench is not installed (package postgresql-contrib or postgresql): pgbench tests not run")
SCRIPT = """\\set aid random(1, 1000)
\\set delta random(-50, 50)
BEGIN;
UPDATE bench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
SELECT abalance FROM bench_accounts WHERE aid = :aid;
INSERT INTO bench_history (aid, delta, mtime) VALUES (:aid, :delta, CURRENT_TIMESTAMP);
END;
"""


@pytest.mark.parametrize("protocol", ["simple", "extended", "prepared"])
def test_protocol(server, tmp_path, protocol) -> None:
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_accounts")
        connection.execute("DROP TABLE IF EXISTS bench_history")
        connection.execute("CREATE TABLE bench_accounts (aid int PRIMARY KEY, abalance int)")
        connection.execute("CREATE TABLE bench_history (aid int, delta int, mtime timestamp)")
        connection.execute("INSERT INTO bench_accounts SELECT g, 0 FROM generate_series(1, 1000) AS g")
    script = tmp_path / "script.sql"
    script.write_text(SCRIPT)
    result = subprocess.run([PGBENCH, "-n", "-f", str(script), "-M", protocol, "-c", "8", "-t", "50", "--max-tries=1000", "-h", "127.0.0.1",
                             "-p", str(server.port), "-U", "admin", "postgres"], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert int(re.search(r"actually processed: (\d+)", result.stdout)[1]) == 400
    assert "number of failed transactions: 0 " in result.stdout
    with psycopg.connect(server.dsn) as connection:
        assert connection.execute("SELECT count(*), sum(delta) FROM bench_history").fetchone() == (
            400, connection.execute("SELECT sum(abalance) FROM bench_accounts").fetchone()[0])
