"""The adjudicator against a model that remembers everything: exact while memory suffices, only ever stricter beyond."""

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsql_core.adjudicator import AdjudicatorOwner, ConflictSet
from dsql_core.clock import HybridClock
from dsql_core.codec import message as m
from dsql_core.shared import STATUS_OFFSET, ChannelHandle, SharedMemory, channel_size, control_page, format_channel

MINUTE = 60_000_000


def fp(key: int) -> int:
    return m.fingerprint_of(9, key.to_bytes(4, "big"))


class Model:
    """The rule itself, with a dictionary."""

    def __init__(self, floor: int) -> None:
        self.last: dict[int, int] = {}
        self.floor = floor

    def verdict(self, snapshot_ts: int, checks: list[int]) -> int:
        refused = {check & m.CATALOG for check in checks
                   if check & m.VALIDATE and self.last.get(check & ~7, 0) > snapshot_ts}
        if m.CATALOG in refused:
            return m.OC001
        return m.OC000 if refused else m.COMMITTED

    def admit(self, checks: list[int], commit_ts: int) -> None:
        assert commit_ts > self.floor
        self.floor = commit_ts
        for check in checks:
            if check & m.STAMP:
                self.last[check & ~7] = commit_ts


check = st.builds(lambda key, flags: fp(key) | flags, st.integers(0, 12), st.integers(0, 7))
transaction = st.tuples(st.integers(0, 15), st.lists(check, max_size=6), st.integers(0, 3))


@settings(max_examples=400, deadline=None)
@given(st.lists(transaction, max_size=60))
def test_against_the_model(transactions: list[tuple[int, list[int], int]]) -> None:
    """Snapshots lie some commits back; time moves by a few microseconds or not at all."""
    adjudicator, model = ConflictSet(100), Model(100)
    history = [100]
    now_us = 1
    for back, checks, pause in transactions:
        now_us += pause
        snapshot_ts = history[max(0, len(history) - 1 - back)]
        expected = model.verdict(snapshot_ts, checks)
        verdict, commit_ts = adjudicator.commit(m.encode_commit(snapshot_ts, checks, []), now_us)
        assert verdict == expected
        if verdict == m.COMMITTED:
            assert commit_ts >= now_us << 12
            model.admit(checks, commit_ts)
            history.append(commit_ts)
        else:
            assert commit_ts == 0


def test_catalog_conflict_is_reported_first() -> None:
    adjudicator = ConflictSet()
    for key in (1, 2):
        assert adjudicator.commit(m.encode_commit(0, [fp(key) | m.STAMP], []), 1)[0] == m.COMMITTED
    both = [fp(1) | m.VALIDATE, fp(2) | m.VALIDATE | m.CATALOG]
    assert adjudicator.commit(m.encode_commit(0, both, []), 2)[0] == m.OC001
    assert adjudicator.commit(m.encode_commit(0, both[:1], []), 2)[0] == m.OC000


def test_a_refused_transaction_stamps_nothing() -> None:
    adjudicator = ConflictSet()
    adjudicator.commit(m.encode_commit(0, [fp(1) | m.STAMP], []), 1)
    assert adjudicator.commit(m.encode_commit(0, [fp(2) | m.STAMP, fp(1) | m.VALIDATE], []), 1)[0] == m.OC000
    assert adjudicator.last(fp(2)) == 0


def test_snapshots_before_a_restart_are_not_judged() -> None:
    adjudicator = ConflictSet(floor=5000)
    assert adjudicator.commit(m.encode_commit(4999, [], []), 1) == (m.TOO_OLD, 0)
    assert adjudicator.commit(m.encode_commit(5000, [], []), 1) == (m.COMMITTED, 5001)


@pytest.mark.parametrize("damage", [b"", b"\0" * 48])
def test_malformed_requests(damage: bytes) -> None:
    assert ConflictSet().commit(damage, 1) == (m.MALFORMED, 0)
    sound = m.encode_commit(0, [8, 16], [(m.PUT, 1, b"key", b"value")])
    for position in (0, 4, 40, 44, 64, 68, 72):
        broken = bytearray(sound)
        broken[position] ^= 0x7F
        assert ConflictSet().commit(bytes(broken), 1) == (m.MALFORMED, 0), position


def test_the_window_follows_commits_not_the_wall() -> None:
    """J3: a snapshot of an idle database is hours old and still the newest; only what everyone has seen is forgotten."""
    adjudicator = ConflictSet(window_us=5 * MINUTE)
    now_us = MINUTE
    first = adjudicator.commit(m.encode_commit(0, [fp(1) | m.STAMP], []), now_us)[1]
    now_us += 600 * MINUTE
    verdict, second = adjudicator.commit(m.encode_commit(first, [fp(1) | m.VALIDATE | m.STAMP], []), now_us)
    assert verdict == m.COMMITTED
    now_us += MINUTE  # one minute later a transaction that started before `second` still gets an exact answer
    assert adjudicator.commit(m.encode_commit(first, [fp(1) | m.VALIDATE], []), now_us)[0] == m.OC000
    assert adjudicator.commit(m.encode_commit(first, [fp(2) | m.VALIDATE], []), now_us)[0] == m.COMMITTED
    for _ in range(60):  # and after the window it is refused as too old
        now_us += MINUTE
        adjudicator.commit(m.encode_commit(second, [], []), now_us)
    assert adjudicator.watermark >= second
    assert adjudicator.commit(m.encode_commit(first, [], []), now_us)[0] == m.TOO_OLD


def test_time_standing_still_or_running_backwards() -> None:
    adjudicator = ConflictSet(window_us=1000)
    before = 0
    for now_us in (10_000, 10_000, 500, 400_000, 3):
        verdict, ts = adjudicator.commit(m.encode_commit(before, [], []), now_us)
        assert verdict == m.COMMITTED and ts > before
        before = ts


def test_growth_keeps_every_key() -> None:
    adjudicator = ConflictSet(capacity=64, capacity_max=1 << 16)
    stamped = {}
    for number in range(20_000):
        verdict, ts = adjudicator.commit(m.encode_commit(0, [fp(number) | m.STAMP], []), number)
        stamped[number] = ts
        probe = random.Random(number).randrange(number + 1)
        assert adjudicator.last(fp(probe)) == stamped[probe]
    assert all(adjudicator.last(fp(number)) == ts for number, ts in stamped.items())
    assert adjudicator.watermark == 0 and adjudicator.statistics["grown"] >= 8


def test_bounded_memory_advances_the_watermark() -> None:
    """At the bound the older part is forgotten: never a wrong admission, recent snapshots judged exactly, no growth."""
    adjudicator = ConflictSet(capacity=64, capacity_max=1024)
    stamped: dict[int, int] = {}
    rng = random.Random(3)
    history: list[int] = [0]
    for number in range(30_000):
        key = rng.randrange(5000)
        snapshot_ts = history[-min(len(history), 1 + rng.randrange(40))]
        conflict = stamped.get(key, 0) > snapshot_ts
        verdict, ts = adjudicator.commit(m.encode_commit(snapshot_ts, [fp(key) | m.STAMP | m.VALIDATE], []), number)
        if snapshot_ts < adjudicator.watermark and verdict == m.TOO_OLD:
            continue
        assert verdict == (m.OC000 if conflict else m.COMMITTED)
        if verdict == m.COMMITTED:
            stamped[key] = ts
            history.append(ts)
    statistics = adjudicator.statistics
    assert statistics["slots"] == 1024 and statistics["advanced"] > 10
    assert statistics["too_old"] < 100  # snapshots at most 40 commits back: the watermark stays well behind them
    assert all(adjudicator.last(fp(key)) == ts for key, ts in stamped.items() if ts > adjudicator.watermark)


def test_expired_slots_are_reused_without_growth() -> None:
    adjudicator = ConflictSet(capacity=1024, capacity_max=1 << 20, window_us=1000)
    newest = 0
    for number in range(50_000):
        newest = adjudicator.commit(m.encode_commit(newest, [fp(number) | m.STAMP], []), number * 10)[1]
    assert adjudicator.statistics["slots"] == 1024 and adjudicator.statistics["cleaned"] > 0
    assert adjudicator.last(fp(49_999)) == newest


def ring(capacity: int = 1 << 16) -> tuple[ChannelHandle, ChannelHandle]:
    memory = SharedMemory(channel_size(capacity))
    format_channel(memory, 0, capacity)
    return ChannelHandle(memory), ChannelHandle(memory)


def receive(channel: ChannelHandle) -> list[dict]:
    found = []
    while (got := channel.receive()) is not None:
        found.append(m.decode_message(got))
    return found


def test_role_sends_records_on_and_refusals_back() -> None:
    workers = [(ring(), ring()) for _ in range(3)]
    to_journal, journal = ring()
    control = control_page()
    clock = HybridClock(control)
    owner = AdjudicatorOwner([r[1] for r, _ in workers], to_journal, [r[0] for _, r in workers], clock, 0, control)
    op = [(m.PUT, 5, b"k", b"v"), (m.DELETE, 5, b"gone", b"")]
    requests = []
    for number, (request, _) in enumerate(workers):  # the same key, each from its own worker
        txn_id = os.urandom(16)
        request[0].send(m.encode_commit(0, [fp(1) | m.VALIDATE | m.STAMP], op, reply_to=number << 48 | 70, txn_id=txn_id,
                                        flags=m.FLAG_CATALOG))
        requests.append(txn_id)
    assert owner.handle.step() == 3
    (record,) = receive(journal)
    assert record["ops"] == op and record["flags"] == m.FLAG_CATALOG and record["commit_ts"] == clock.last
    winner = record["reply_to"] >> 48
    assert record["txn_id"] == requests[winner]
    for number, (_, reply) in enumerate(workers):
        answers = receive(reply[1])
        if number == winner:
            assert answers == []
        else:
            assert [(a["status"], a["reply_to"], a["txn_id"]) for a in answers] == [
                (m.OC000, number << 48 | 70, requests[number])]
    assert owner.statistics["commits"] == 1 and owner.statistics["data_conflicts"] == 2


def test_role_refuses_by_the_status_word_and_keeps_answering_garbage() -> None:
    request, requests = ring()
    to_journal, journal = ring()
    control = control_page()
    owner = AdjudicatorOwner([requests], to_journal, None, HybridClock(control), 0, control)
    control.write_u64(STATUS_OFFSET, m.FULL)
    request.send(m.encode_commit(0, [], [(m.PUT, 1, b"k", b"v")], reply_to=1))
    owner.handle.step()
    control.write_u64(STATUS_OFFSET, 0)
    broken = bytearray(m.encode_commit(0, [], [(m.PUT, 1, b"k", b"v")], reply_to=2))
    broken[40] = 9
    request.send(bytes(broken))
    request.send(b"tiny")
    request.send(m.encode_commit(0, [], [(m.PUT, 1, b"k", b"v")], reply_to=3))
    owner.handle.step()
    # Without reply rings of its own the role hands refusals downstream, in order with the records.
    assert [(x["kind"], x.get("status"), x["reply_to"]) for x in receive(journal)] == [
        (m.KIND_REPLY, m.FULL, 1), (m.KIND_REPLY, m.MALFORMED, 2), (m.KIND_RECORD, None, 3)]


def test_a_worker_that_floods_does_not_starve_the_others() -> None:
    (flood, flooded), (calm, calmed) = ring(), ring()
    to_journal, journal = ring(1 << 20)
    owner = AdjudicatorOwner([flooded, calmed], to_journal, [None, None], HybridClock(), 0)
    for number in range(200):
        flood.send(m.encode_commit(0, [], [], reply_to=number))
    calm.send(m.encode_commit(0, [], [], reply_to=1 << 48))
    owner.handle.step()
    order = [x["reply_to"] >> 48 for x in receive(journal)]
    assert len(order) == 201 and order.index(1) <= 32
