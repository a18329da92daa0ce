"""A server stopped, killed and started again keeps what it acknowledged; a few of the kill rounds run here too."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from tests_support import free_port, run_server

SPEC = importlib.util.spec_from_file_location("kill_rounds", Path(__file__).parents[1] / "crash" / "kill_rounds.py")
kill_rounds = importlib.util.module_from_spec(SPEC)
sys.modules["kill_rounds"] = kill_rounds
SPEC.loader.exec_module(kill_rounds)


def test_clean_restart(tmp_path) -> None:
    with run_server(tmp_path) as server, psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (id int PRIMARY KEY, note text)")
        connection.execute("INSERT INTO kept SELECT g, 'note ' || g FROM generate_series(1, 2500) AS g")
    with run_server(tmp_path) as server, psycopg.connect(server.dsn, autocommit=True) as connection:
        assert connection.execute("SELECT count(*), min(note) FROM kept").fetchone() == (2500, "note 1")
        connection.execute("INSERT INTO kept VALUES (0, 'after')")


def test_directory_in_use(tmp_path) -> None:
    with run_server(tmp_path) as server:
        second = subprocess.run([sys.executable, "-m", "opendsql", "serve", "--data", str(server.data), "--port", str(free_port(24000))],
                                capture_output=True, text=True, timeout=30)
        assert second.returncode != 0
        assert str(server.data) in second.stderr
        assert "in use" in second.stderr
        assert "Traceback" not in second.stderr


def test_directory_of_another_format(tmp_path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("16\n")
    result = subprocess.run([sys.executable, "-m", "opendsql", "serve", "--data", str(tmp_path / "data"), "--port", str(free_port(24000))],
                            capture_output=True, text=True, timeout=30)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    assert str(tmp_path / "data") in result.stderr


@pytest.mark.parametrize("topology", ["fused", "split", "roles"])
def test_kill_rounds(tmp_path, topology) -> None:
    figures = kill_rounds.rounds(5, 4, 1, tmp_path, free_port(24500), topology, seconds=0.3)
    assert figures["violations"] == 0
    assert figures["acknowledged"] > 0


@pytest.mark.soak
@pytest.mark.parametrize("topology", ["fused", "split", "roles"])
def test_two_hundred_kill_rounds(tmp_path, topology) -> None:
    assert kill_rounds.rounds(200, 8, 2, tmp_path, free_port(24600), topology)["violations"] == 0
