"""Data directories: made once, locked, refused when foreign."""

import json
import os
from pathlib import Path

import pytest
from opendsql.errors import OperatorError
from opendsql.journal import DataDirectory


def test_made_once_and_read_again(tmp_path: Path) -> None:
    with DataDirectory(tmp_path / "a" / "db", segment_size=1 << 20) as made:
        first = (made.database_id, made.journal_id, made.segment_size)
    with DataDirectory(tmp_path / "a" / "db") as opened:
        assert (opened.database_id, opened.journal_id, opened.segment_size) == first
        assert opened.segment_size == 1 << 20 and opened.journal_path.is_dir()
    with DataDirectory(tmp_path / "b") as other:
        assert other.journal_id != first[1]


def test_one_at_a_time(tmp_path: Path) -> None:
    with DataDirectory(tmp_path / "db"):
        with pytest.raises(OperatorError, match="in use by another"):
            DataDirectory(tmp_path / "db")
    DataDirectory(tmp_path / "db").close()


def test_children_keep_it_locked(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path / "db")
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(write)
        os.read(read, 1)  # lives until the parent hangs up
        os._exit(0)
    directory.close()
    with pytest.raises(OperatorError, match="in use"):
        DataDirectory(tmp_path / "db")
    os.close(read)
    os.close(write)
    assert os.waitpid(pid, 0)[1] == 0
    DataDirectory(tmp_path / "db").close()


def test_a_crash_while_making_it_is_repaired(tmp_path: Path) -> None:
    (tmp_path / "db" / "journal").mkdir(parents=True)
    (tmp_path / "db" / "lock").touch()
    (tmp_path / "db" / "FORMAT.new").write_text('{"open')
    DataDirectory(tmp_path / "db").close()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"opendsql": "backup", "format": 1}', '{"opendsql": "data directory", "format": "x"}'])
def test_a_format_file_that_is_none(tmp_path: Path, text: str) -> None:
    DataDirectory(tmp_path).close()
    (tmp_path / "FORMAT").write_text(text)
    with pytest.raises(OperatorError, match="FORMAT: is not the format file"):
        DataDirectory(tmp_path)


def test_another_format(tmp_path: Path) -> None:
    DataDirectory(tmp_path).close()
    description = json.loads((tmp_path / "FORMAT").read_text())
    (tmp_path / "FORMAT").write_text(json.dumps({**description, "format": 2}))
    with pytest.raises(OperatorError, match="has format 2, this version of opendsql reads and writes format 1"):
        DataDirectory(tmp_path)


def test_strangers_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("chapter one")
    with pytest.raises(OperatorError, match="thesis.txt"):
        DataDirectory(tmp_path)
    assert os.listdir(tmp_path) == ["thesis.txt"]
    with pytest.raises(OperatorError, match="not a directory"):
        DataDirectory(tmp_path / "thesis.txt")
    with pytest.raises(OperatorError, match="no such directory"):
        DataDirectory(tmp_path / "nowhere", create=False)


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="/proc/opendsql"):
        DataDirectory("/proc/opendsql")
