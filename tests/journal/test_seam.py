"""The four calls every journal backend answers, on local segments."""

import inspect
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from opendsql.errors import OperatorError
from opendsql.journal import DataDirectory, Journal, LocalJournal

from dsql_core.codec import message as m


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[LocalJournal]:
    with DataDirectory(tmp_path / "db", segment_size=65536) as directory:
        journal = LocalJournal(directory)
        yield journal
        journal.close()


def record(ts: int, size: int = 40) -> bytes:
    return m.encode_record(ts, [(m.PUT, 1, b"k", bytes(size))])


def test_it_answers_exactly_the_seam() -> None:
    seam = {name for name in vars(Journal) if not name.startswith("_")}
    assert seam == {"append", "read", "set_leader", "trim"}
    for name in seam:
        assert inspect.signature(getattr(LocalJournal, name)) == inspect.signature(getattr(Journal, name))


def test_append_and_read(journal: LocalJournal) -> None:
    seq, last_ts = journal.set_leader(1)
    assert (seq, last_ts) == (1, 0)  # the takeover frame
    assert journal.append(1, 2, [record(10), record(11)]) == 2
    assert journal.append(1, 3, [record(12)]) == 3
    assert [(f[0], f[1], f[2], f[3], f[4]) for f in journal.read(1)] == [
        (2, 1, 11, 2, record(10) + record(11)), (3, 1, 12, 1, record(12))]
    assert list(journal.read(3)) == []


def test_only_the_leader_appends_and_only_the_next_frame(journal: LocalJournal) -> None:
    with pytest.raises(OperatorError, match="does not lead"):
        journal.append(1, 1, [record(1)])
    journal.set_leader(4)
    with pytest.raises(OperatorError, match="does not lead"):
        journal.append(3, 2, [record(1)])
    with pytest.raises(OperatorError, match="the next frame is 2, not 3"):
        journal.append(4, 3, [record(1)])
    journal.append(4, 2, [record(1)])
    other = LocalJournal(journal.directory)
    with pytest.raises(OperatorError, match="generation 4 leads, 4 may not"):
        other.set_leader(4)
    journal.close()
    assert other.set_leader(5) == (3, 1)
    other.append(5, 4, [record(9)])
    other.close()
    assert [(f[0], f[1]) for f in other.read(0)] == [(1, 4), (2, 4), (3, 5), (4, 5)]


def test_trim(journal: LocalJournal) -> None:
    journal.set_leader(1)
    for seq in range(2, 200):
        journal.append(1, seq, [m.encode_record(seq, [(m.PUT, 1, b"k", os.urandom(3000))])])
        journal.trim(seq - 1)
    first = next(iter(journal.read(0)))[0]
    assert 1 < first < 199
    assert [f[0] for f in journal.read(0)] == list(range(first, 200))


def test_a_record_too_large(journal: LocalJournal) -> None:
    journal.set_leader(1)
    with pytest.raises(OperatorError, match="could not be written"):
        journal.append(1, 2, [record(5, 70_000)])
    assert journal.append(1, 2, [record(6)]) == 2
