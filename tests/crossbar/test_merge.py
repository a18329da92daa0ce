"""The merge against a model: total order, nothing early, nothing lost."""

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsql_core.codec import message as m
from dsql_core.crossbar import CrossbarOwner, FeedMerge
from dsql_core.shared import ChannelHandle, SharedMemory, channel_size, format_channel

feed = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 3)), max_size=25)  # ts step; 0 = promise after it


@settings(max_examples=300, deadline=None)
@given(st.lists(feed, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_against_a_model(plan: list[list[tuple[int, int]]], rng) -> None:
    """Feeds advance in any interleaving; their timestamps are made distinct by the feed number."""
    count = len(plan)
    merge = FeedMerge(count)
    schedule = [index for index, steps in enumerate(plan) for _ in steps]
    rng.shuffle(schedule)
    at = [0] * count
    ts = [list(accumulate(step * count for step, _ in steps)) for steps in plan]
    sent: list[int] = []
    promised = [0] * count
    released: list[int] = []
    for index in schedule:
        number = at[index]
        at[index] += 1
        stamp = ts[index][number] + index
        merge.record(index, m.encode_record(stamp, [(m.PUT, 1, b"k", bytes(stamp % 50))]))
        sent.append(stamp)
        if plan[index][number][1] == 0:
            promised[index] = stamp
            new = [m.decode_record(record)["commit_ts"] for record in merge.promise(index, number + 1, stamp)]
            released += new
            assert all(stamp <= min(promised) for stamp in new)
        assert released == sorted(stamp for stamp in sent if stamp <= min(promised))
        assert merge.watermark_ts == min(promised)
    for index in range(count):
        released += [m.decode_record(record)["commit_ts"] for record in merge.promise(index, 99, 10**9)]
    assert released == sorted(sent)


def ring() -> tuple[ChannelHandle, ChannelHandle]:
    memory = SharedMemory(channel_size(1 << 16))
    format_channel(memory)
    return ChannelHandle(memory), ChannelHandle(memory)


def receive(channel: ChannelHandle) -> list[tuple[int, int]]:
    found = []
    while (got := channel.receive()) is not None:
        x = m.decode_message(got)
        found.append((x["kind"], x["commit_ts"] if "commit_ts" in x else x["last_ts"]))
    return found


def test_one_feed_passes_straight_through() -> None:
    producer, consumer = ring()
    output, result = ring()
    crossbar = CrossbarOwner([consumer], output)
    producer.send(m.encode_record(5, []))
    crossbar.handle.step()
    assert receive(result) == [(m.KIND_RECORD, 5)]  # before its Durable: storage works during the flush
    producer.send(m.encode_durable(1, 5))
    crossbar.handle.step()
    assert receive(result) == [(m.KIND_DURABLE, 5)]


def test_two_feeds_release_what_both_have_passed_and_idle_promises_move_on() -> None:
    feeds = [ring(), ring()]
    output, result = ring()
    crossbar = CrossbarOwner([consumer for _, consumer in feeds], output)
    (a, _), (b, _) = feeds
    for ts in (5, 9):
        a.send(m.encode_record(ts, []))
    a.send(m.encode_durable(1, 9))
    crossbar.handle.step()
    assert receive(result) == []
    b.send(m.encode_record(7, []))
    b.send(m.encode_durable(1, 7))
    crossbar.handle.step()
    assert receive(result) == [(m.KIND_RECORD, 5), (m.KIND_RECORD, 7), (m.KIND_DURABLE, 7)]
    b.send(m.encode_durable(1, 30))  # nothing new from b, but nothing to come at or below 30 either
    crossbar.handle.step()
    assert receive(result) == [(m.KIND_RECORD, 9), (m.KIND_DURABLE, 9)]


def test_no_feed_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one feed"):
        CrossbarOwner([], ring()[0])
