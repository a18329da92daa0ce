"""Hybrid timestamps: order whatever the wall does, slewing, refused jumps, intervals."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsql_core.clock import ClockInterval, HybridClock, pack, unpack
from dsql_core.shared import SharedMemory

SECOND = 1_000_000


@given(us=st.integers(0, 2**52 - 1), counter=st.integers(0, 4095))
def test_pack_round_trip(us: int, counter: int) -> None:
    assert unpack(pack(us, counter)) == (us, counter)


@given(a=st.tuples(st.integers(0, 2**52 - 1), st.integers(0, 4095)), b=st.tuples(st.integers(0, 2**52 - 1), st.integers(0, 4095)))
def test_order_is_order_of_time(a: tuple[int, int], b: tuple[int, int]) -> None:
    assert (pack(*a) < pack(*b)) == (a < b)


def test_pack_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        pack(2**52)
    with pytest.raises(ValueError, match="do not fit"):
        pack(1, 4096)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 2**40)), min_size=1))
def test_timestamps_rise_whatever_the_wall_does(steps: list[tuple[int, int]]) -> None:
    clock = HybridClock()
    before = 0
    for now_us, floor in steps:
        ts = clock.next_at(now_us, floor)
        assert ts > before and ts > floor and ts >= now_us << 12
        before = ts


def test_logical_part_runs_when_the_wall_stepped_back() -> None:
    clock = HybridClock()
    first = clock.next_at(1_000_000)
    assert [clock.next_at(10) for _ in range(5000)] == list(range(first + 1, first + 5001))


def test_recovered_floor_is_never_reissued() -> None:
    clock = HybridClock()
    floor = pack(HybridClock().now_us() + 3600 * SECOND, 7)  # the wall stepped back by an hour before the restart
    clock.raise_to(floor)
    assert clock.next() == floor + 1


def test_one_word_many_processes() -> None:
    memory = SharedMemory(4096)
    counts = 3
    each = 20_000
    read, write = os.pipe()
    children = []
    for _ in range(counts):
        pid = os.fork()
        if pid == 0:
            clock = HybridClock(memory)
            issued = [clock.next() for _ in range(each)]
            with os.fdopen(write, "wb") as out:
                out.write(b"".join(ts.to_bytes(8, "little") for ts in issued))
            os._exit(0)
        children.append(pid)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        raw = pipe.read()
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0
    issued = {raw[i : i + 8] for i in range(0, len(raw), 8)}
    assert len(raw) == counts * each * 8 and len(issued) == counts * each


def test_slews_instead_of_stepping() -> None:
    clock = HybridClock(mono_ns=0, wall_us=10 * SECOND)
    assert clock.resync(1_000_000_000, 13 * SECOND)  # the wall is 2 s ahead
    assert clock.paced_us(1_000_000_000) == 11 * SECOND + 10_000  # 1/100 of the second passed
    assert clock.resync(2_000_000_000, 5 * SECOND)  # and now far behind
    assert clock.paced_us(2_000_000_000) == 12 * SECOND
    assert clock.jumps_refused == 0


def test_refuses_to_be_dragged_ahead() -> None:
    clock = HybridClock(mono_ns=0, wall_us=0)
    assert not clock.resync(1_000_000_000, 3_000_000_000 * SECOND)
    assert clock.paced_us(1_000_000_000) == SECOND
    assert clock.jumps_refused == 1
    assert not clock.observe(pack(100 * SECOND), now_us=SECOND)
    assert clock.last == 0
    assert clock.observe(pack(3 * SECOND), now_us=SECOND)
    assert clock.next_at(SECOND) == pack(3 * SECOND) + 1


def test_interval_brackets_now_and_commit_wait() -> None:
    clock = HybridClock(error_us=500)
    interval = clock.interval()
    assert interval.contains(pack(clock.now_us()))
    assert interval.latest - interval.earliest >= 1000 << 12
    assert not interval.is_past(interval.latest) and interval.is_past(interval.earliest)


def test_on_one_machine_the_word_is_time() -> None:
    clock = HybridClock()
    commit_ts = clock.next()
    assert clock.interval().is_past(commit_ts)


@given(a=st.tuples(st.integers(0, 100), st.integers(0, 100)), b=st.tuples(st.integers(0, 100), st.integers(0, 100)))
def test_interval_comparisons(a: tuple[int, int], b: tuple[int, int]) -> None:
    x, y = ClockInterval(min(a), max(a)), ClockInterval(min(b), max(b))
    assert x.overlaps(y) == bool(set(range(min(a), max(a) + 1)) & set(range(min(b), max(b) + 1)))
    assert x.is_before(y) == (max(a) < min(b)) and x.is_after(y) == (min(a) > max(b))
    assert [x.is_before(y), x.is_after(y), x.overlaps(y)].count(True) == 1


def test_interval_refuses_to_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="ends before"):
        ClockInterval(2, 1)
