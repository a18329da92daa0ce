"""Random transactions against a model of snapshot isolation.

stepwise    one driver interleaves the statements of several sessions at random. Nothing ever waits, so the order of all
            events is known and the model says of every read its rows, of every statement its count, of every COMMIT whether
            it is refused: no lost update, no fractured read, no phantom, and no refusal without a reason.
at once     threads on few rows. Every write names its transaction and the one it overwrites; from that follow each row's
            order of commits, and with it what no snapshot can have shown.
"""

import random
import threading
import time
from dataclasses import dataclass, field

import psycopg
import pytest

STEPS = 1500
SESSIONS = 6
ROWS = 6
SECONDS_AT_ONCE = 4.0

Rows = dict[int, tuple[int, int]]  # id -> (code, value); code is a key column, value is not


@dataclass
class Model:
    """What is committed, and when each row was last accessed in each way (number of the commit)."""

    rows: Rows = field(default_factory=dict)
    commits: int = 0
    last: dict[tuple[str, int], int] = field(default_factory=dict)  # (access, row id) -> commit


@dataclass
class Transaction:
    """One session's open transaction in the model."""

    rows: Rows | None = None  # its view: snapshot and own writes; None before the first statement
    began: int = 0
    accesses: set[tuple[str, int]] = field(default_factory=set)

    def view(self, model: Model) -> Rows:
        if self.rows is None:
            self.rows, self.began = dict(model.rows), model.commits
        return self.rows

    def is_refused(self, model: Model) -> bool:
        """The row matrix: key = insert, delete, key update, FOR UPDATE; other = update of other columns; share."""
        meets = {"key": ("key", "other", "share"), "other": ("key", "other"), "share": ("key",)}
        found = [model.last.get((other, row), 0) for access, row in self.accesses for other in meets[access]]
        return any(commit > self.began for commit in found)

    def commit(self, model: Model) -> None:
        if not self.accesses:
            return
        model.commits += 1
        for access in self.accesses:
            model.last[access] = model.commits
        changed = {row for access, row in self.accesses if access != "share"}
        assert self.rows is not None
        for row in changed:
            if row in self.rows:
                model.rows[row] = self.rows[row]
            else:
                model.rows.pop(row, None)


def statement(chance: random.Random, view: Rows, serial: int) -> tuple[str, list[tuple[int, ...]] | int | str, set[tuple[str, int]]]:
    """(sql, expected rows or count or sqlstate, accesses); changes view."""
    row = chance.randrange(1, ROWS + 1)
    held = view.get(row)
    match chance.randrange(9):
        case 0:
            return "SELECT id, code, value FROM reg ORDER BY id", [(i, *view[i]) for i in sorted(view)], set()
        case 1:
            return f"SELECT id, code, value FROM reg WHERE id = {row}", [(row, *held)] if held else [], set()
        case 2:
            below = [(i, *view[i]) for i in sorted(view) if view[i][1] < serial // 2]
            return f"SELECT id, code, value FROM reg WHERE value < {serial // 2} ORDER BY id", below, set()
        case 3 | 4:
            if held:
                view[row] = (held[0], serial)
            return f"UPDATE reg SET value = {serial} WHERE id = {row}", 1 if held else 0, {("other", row)} if held else set()
        case 5:
            if held:
                view[row] = (serial, held[1])
            return f"UPDATE reg SET code = {serial} WHERE id = {row}", 1 if held else 0, {("key", row)} if held else set()
        case 6:
            if held:
                del view[row]
                return f"DELETE FROM reg WHERE id = {row}", 1, {("key", row)}
            view[row] = (serial, serial)
            return f"INSERT INTO reg VALUES ({row}, {serial}, {serial})", 1, {("key", row)}
        case 7:
            sql = f"SELECT id, code, value FROM reg WHERE id = {row} FOR UPDATE"
            return sql, [(row, *held)] if held else [], {("key", row)} if held else set()
        case _:
            sql = f"SELECT id, code, value FROM reg WHERE id = {row} FOR KEY SHARE"
            return sql, [(row, *held)] if held else [], {("share", row)} if held else set()


def make_table(dsn: str) -> Rows:
    with psycopg.connect(dsn, autocommit=True) as setup:
        setup.execute("DROP TABLE IF EXISTS reg")
        setup.execute("CREATE TABLE reg (id int PRIMARY KEY, code int UNIQUE, value int)")
        setup.execute(f"INSERT INTO reg SELECT n, -n, -n FROM generate_series(1, {ROWS}) n")
    return {n: (-n, -n) for n in range(1, ROWS + 1)}


@pytest.mark.parametrize("seed", [1, 2])
def test_stepwise(seed: int, server) -> None:
    chance = random.Random(seed)
    model = Model(make_table(server.dsn))
    sessions = [psycopg.connect(server.dsn, autocommit=True) for _ in range(SESSIONS)]
    open_ones: list[Transaction | None] = [None] * SESSIONS
    history: list[str] = []
    committed = refused = 0
    try:
        for serial in range(1, STEPS + 1):
            number = chance.randrange(SESSIONS)
            session, one = sessions[number], open_ones[number]
            context = lambda: "\n".join(history[-80:])  # noqa: B023, E731
            if one is None:
                session.execute("BEGIN")
                history.append(f"{number} BEGIN")
                open_ones[number] = Transaction()
            elif one.rows is None or chance.random() < 0.7:
                sql, expected, accesses = statement(chance, one.view(model), serial)
                history.append(f"{number} {sql}")
                cursor = session.execute(sql)
                got = cursor.rowcount if isinstance(expected, int) else cursor.fetchall()
                assert got == expected, f"seed {seed}: {got} != {expected}\n{context()}"
                one.accesses |= accesses
            elif chance.random() < 0.15:
                session.execute("ROLLBACK")
                history.append(f"{number} ROLLBACK")
                open_ones[number] = None
            else:
                wanted = one.is_refused(model)
                history.append(f"{number} COMMIT {'refused' if wanted else ''}")
                try:
                    session.execute("COMMIT")
                    was = False
                except psycopg.errors.SerializationFailure:
                    was = True
                assert was == wanted, f"seed {seed}: refused {was}, the model says {wanted}\n{context()}"
                if wanted:
                    refused += 1
                else:
                    one.commit(model)
                    committed += 1
                open_ones[number] = None
        assert committed > 50 and refused > 20
        assert sessions[0].info.transaction_status in (psycopg.pq.TransactionStatus.IDLE, psycopg.pq.TransactionStatus.INTRANS)
    finally:
        for session in sessions:
            session.close()


@dataclass
class Done:
    """A committed transaction of a thread: what it saw of each row, and what it wrote."""

    tag: int
    saw: dict[int, int]  # row -> tag of the version read
    wrote: dict[int, int]  # row -> tag of the version overwritten


def worker(dsn: str, number: int, until: float, done: list[Done], failures: list[BaseException]) -> None:
    chance = random.Random(number)
    count = 0
    try:
        with psycopg.connect(dsn, autocommit=True) as session:
            while time.monotonic() < until:
                count += 1
                tag = number * 1_000_000 + count
                one = Done(tag, {}, {})
                try:
                    session.execute("BEGIN")
                    for row in chance.sample(range(1, ROWS + 1), chance.randrange(2, ROWS)):
                        one.saw[row] = session.execute("SELECT value FROM reg WHERE id = %s", (row,)).fetchone()[0]
                        if chance.random() < 0.5:
                            assert session.execute("UPDATE reg SET value = %s WHERE id = %s", (tag, row)).rowcount == 1
                            one.wrote[row] = one.saw[row]
                    session.execute("COMMIT")
                    done.append(one)
                except psycopg.errors.SerializationFailure:
                    assert session.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    except BaseException as error:
        failures.append(error)


def test_at_once(server) -> None:
    first = make_table(server.dsn)
    until = time.monotonic() + SECONDS_AT_ONCE
    done: list[Done] = []
    failures: list[BaseException] = []
    threads = [threading.Thread(target=worker, args=(server.dsn, n, until, done, failures)) for n in range(1, SESSIONS + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS_AT_ONCE + 10)
        assert not thread.is_alive(), "a session waited"
    assert not failures, failures[0]
    with psycopg.connect(server.dsn, autocommit=True) as session:
        final = dict(session.execute("SELECT id, value FROM reg").fetchall())
    # Each row's versions form one chain from the first value to the last: no lost update.
    place: dict[tuple[int, int], int] = {}  # (row, tag) -> place in the row's order of commits
    for row in first:
        follows = {one.wrote[row]: one.tag for one in done if row in one.wrote}
        assert len(follows) == sum(row in one.wrote for one in done), f"row {row}: two commits overwrote one version"
        at, number = first[row][1], 0
        place[row, at] = 0
        while at in follows:
            at, number = follows[at], number + 1
            place[row, at] = number
        assert at == final[row] and number == len(follows), f"row {row}: the chain of versions is broken"
    # What a transaction saw is one instant: all of another one's writes, or none.
    writers = [one for one in done if len(one.wrote) > 1]
    for reader in done:
        for writer in writers:
            both = [row for row in writer.wrote if row in reader.saw]
            shown = {place[row, reader.saw[row]] >= place[row, writer.tag] for row in both}
            assert len(shown) < 2, f"{reader} saw a part of {writer}"
    assert len(done) > 100
