"""The command line as a user meets it: sql, status, verify, refusals in one line."""

import subprocess
import sys

import psycopg
from tests_support import run_server


def opendsql(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "opendsql", *arguments], input=given, capture_output=True, text=True, timeout=60)


def test_prompt(server) -> None:
    done = opendsql("sql", "--port", str(server.port), "-c", "SELECT 1 AS one, 'x' AS letter")
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["one | letter", "----+-------", "1   | x     ", "SELECT 1"]
    done = opendsql("sql", "--port", str(server.port), given="SELECT 1;\nSELEC 2;\n")
    assert done.returncode == 1
    assert 'syntax error at or near "SELEC" (SQLSTATE 42601)' in done.stderr


def test_no_server() -> None:
    done = opendsql("sql", "--port", "1")
    assert (done.returncode, done.stderr) == (2, "opendsql: no server at 127.0.0.1:1: Connection refused\n")


def test_remote_bind_needs_a_flag(tmp_path) -> None:
    done = opendsql("serve", "--data", str(tmp_path / "d"), "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "--allow-remote" in done.stderr


def test_status_and_verify(tmp_path) -> None:
    with run_server(tmp_path) as server, psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE v (id int PRIMARY KEY, a int, b text UNIQUE)")
        connection.execute("INSERT INTO v SELECT g, g % 3, 'b' || g FROM generate_series(1, 500) AS g")
        job = connection.execute("CREATE INDEX ASYNC v_a ON v (a)").fetchone()
        connection.execute(f"CALL sys.wait_for_job('{job[0]}')")
        status = opendsql("status", "--data", str(server.data))
        assert status.returncode == 0
        for expected in ("visible_ts", "counters.commits", "keeper (pid", "recovery"):
            assert expected in status.stdout
        busy = opendsql("verify", str(server.data))
        assert (busy.returncode, "in use" in busy.stderr) == (2, True)
    assert opendsql("status", "--data", str(tmp_path / "data")).returncode == 2
    clean = opendsql("verify", str(tmp_path / "data"))
    assert clean.returncode == 0, clean.stdout + clean.stderr
    assert "index public.v_a: 500 entries" in clean.stdout
    assert "index public.v_b_key: 500 entries" in clean.stdout
    assert clean.stdout.endswith("clean\n")
    checkpoint = tmp_path / "data" / "checkpoint.pages"
    raw = bytearray(checkpoint.read_bytes())
    raw[5 * 8192 + 100] ^= 1
    checkpoint.write_bytes(raw)
    damaged = opendsql("verify", str(tmp_path / "data"))
    assert damaged.returncode == 1
    assert "checkpoint.pages" in damaged.stdout
    assert "offset" in damaged.stdout


def test_no_directory(tmp_path) -> None:
    for command in (["status", "--data"], ["verify"]):
        done = opendsql(*command, str(tmp_path / "none"))
        assert done.returncode == 2
        assert "no such directory" in done.stderr
