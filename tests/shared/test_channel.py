"""Rings: order, wholeness and wake-ups under random sizes, full rings, dying sides and broken memory."""

import os
import random
import select
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsql_core.shared import ChannelHandle, DoorbellHandle, SharedMemory, channel_size, format_channel


def ring(capacity: int = 4096) -> SharedMemory:
    memory = SharedMemory(channel_size(capacity))
    format_channel(memory, 0, capacity)
    return memory


def message(number: int, size: int) -> bytes:
    return number.to_bytes(8, "little") + random.Random(number).randbytes(size)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.integers(1, 9000), st.just(0)), max_size=60), st.sampled_from([256, 1024, 4096]))
def test_against_a_queue(actions: list[int], capacity: int) -> None:
    """0 receives, n sends n bytes; the backlog keeps what the ring cannot."""
    memory = ring(capacity)
    producer, consumer = ChannelHandle(memory), ChannelHandle(memory)
    expected: deque[bytes] = deque()
    for number, action in enumerate(actions):
        if action:
            expected.append(message(number, action))
            producer.send(expected[-1])
        else:
            got = consumer.receive()
            if got is not None:
                assert got == expected.popleft()
            producer.flush()
    while expected:
        producer.flush()
        got = consumer.receive()
        if got is not None:
            assert got == expected.popleft()
    assert consumer.receive() is None and consumer.is_empty() and producer.backlog == 0 and producer.used == 0


def drain(consumer: ChannelHandle, bell: DoorbellHandle, count: int) -> list[bytes]:
    """Receives count messages, sleeping on the doorbell when there is nothing."""
    found: list[bytes] = []
    while len(found) < count:
        got = consumer.receive()
        if got is None:
            bell.arm()
            if consumer.is_empty():
                assert select.select([bell.fd], [], [], 20)[0], "a wake-up was lost"
            bell.disarm()
        else:
            found.append(got)
    return found


def wait(consumer: ChannelHandle, producer: ChannelHandle, bell: DoorbellHandle) -> None:
    """The sleep of a loop: arm, look once more at everything, wait."""
    bell.arm()
    producer.flush()
    if consumer.is_empty():
        assert select.select([bell.fd], [], [], 20)[0], "a wake-up was lost"
    bell.disarm()


def echo(consumer: ChannelHandle, producer: ChannelHandle, bell: DoorbellHandle, count: int) -> None:
    """Sends back what arrives."""
    served = 0
    while served < count or not producer.flush():
        got = consumer.receive()
        if got is None:
            wait(consumer, producer, bell)
        else:
            producer.send(got)
            served += 1


def test_two_processes_random_sizes() -> None:
    """Echo between two processes that both sleep: no message lost, reordered or cut, no wake-up lost."""
    there, back = ring(1 << 16), ring(1 << 14)
    bell_here, bell_there = DoorbellHandle(), DoorbellHandle()
    count = 4000
    sizes = random.Random(5)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            echo(ChannelHandle(there, doorbell=bell_here), ChannelHandle(back, doorbell=bell_here), bell_there, count)
            status = 0
        finally:
            os._exit(status)
    producer = ChannelHandle(there, doorbell=bell_there)
    consumer = ChannelHandle(back, doorbell=bell_there)
    sent: deque[bytes] = deque()
    received = 0
    number = 0
    while received < count:
        while number < count and len(sent) < 50:
            sent.append(message(number, sizes.choice([1, 10, 100, 1000, 5000, 40_000, 200_000])))
            producer.send(sent[-1])
            number += 1
        got = consumer.receive()
        if got is None:
            wait(consumer, producer, bell_here)
        else:
            assert got == sent.popleft()
            received += 1
    assert os.waitpid(pid, 0)[1] == 0


def test_doorbell_is_silent_while_awake() -> None:
    memory, bell = ring(), DoorbellHandle()
    producer, consumer = ChannelHandle(memory, doorbell=bell), ChannelHandle(memory)
    producer.send(b"x")
    assert not select.select([bell.fd], [], [], 0)[0]
    bell.arm()
    producer.send(b"y")
    producer.send(b"z")
    assert select.select([bell.fd], [], [], 0)[0]
    bell.disarm()
    assert not select.select([bell.fd], [], [], 0)[0]
    assert drain(consumer, bell, 3) == [b"x", b"y", b"z"]


def test_full_ring_rings_the_producer_when_there_is_room() -> None:
    memory, bell, other = ring(1024), DoorbellHandle(), DoorbellHandle()
    producer, consumer = ChannelHandle(memory, doorbell=other), ChannelHandle(memory, doorbell=bell)
    while not producer.backlog:
        producer.send(bytes(100))
    bell.arm()
    assert consumer.receive() is not None
    assert select.select([bell.fd], [], [], 0)[0]


def test_a_new_producer_starts_a_new_message() -> None:
    """The rest of a message whose producer died never comes; the next message is whole all the same."""
    memory = ring(1024)
    first, consumer = ChannelHandle(memory), ChannelHandle(memory)
    first.send(b"a" * 5000)  # only its first fragments fit
    assert consumer.receive() is None
    second = ChannelHandle(memory)
    second.send(b"whole")
    assert consumer.receive() == b"whole"


def test_a_new_consumer_skips_half_a_message() -> None:
    memory = ring(1024)
    producer, first = ChannelHandle(memory), ChannelHandle(memory)
    producer.send(b"a" * 1500)
    assert first.receive() is None  # took the fragments that were there, then died
    producer.flush()
    producer.send(b"whole")
    second = ChannelHandle(memory)
    got = second.receive()
    while got is None:
        producer.flush()
        got = second.receive()
    assert got == b"whole"


@pytest.mark.parametrize("offset", [192, 196])
def test_a_lying_size_is_reported(offset: int) -> None:
    memory = ring(1024)
    producer, consumer = ChannelHandle(memory), ChannelHandle(memory)
    producer.send(b"x" * 20)
    view = memoryview(memory)
    view[192:196] = (1 << 30).to_bytes(4, "little")
    if offset == 196:
        view[196:200] = (2).to_bytes(4, "little")  # a skip to the end of a ring that was not written so far
    with pytest.raises(ValueError, match="malformed"):
        consumer.receive()


def test_head_beyond_capacity_is_reported() -> None:
    memory = ring(1024)
    consumer = ChannelHandle(memory)
    memory.write_u64(64, 1 << 40)
    with pytest.raises(ValueError, match="malformed"):
        consumer.receive()


def test_attach_refuses_what_is_no_ring() -> None:
    with pytest.raises(ValueError, match="no ring"):
        ChannelHandle(SharedMemory(4096))
    with pytest.raises(ValueError, match="power of two"):
        format_channel(SharedMemory(8192), 0, 1000)
