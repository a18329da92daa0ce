"""The commit path end to end: requests in, trees and answers out; together, apart, killed, full, failing, restarted."""

import errno
import os
import random
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from opendsql.cluster.roles import ROLES, CommitRoles, Hops
from opendsql.errors import OperatorError
from opendsql.journal import DataDirectory

from dsql_core.clock import HybridClock, pack
from dsql_core.codec import message as m
from dsql_core.shared import (
    REPLAYED_OFFSET,
    STATUS_OFFSET,
    TRIM_SEQ_OFFSET,
    ChannelHandle,
    DoorbellHandle,
    RoleHandle,
    SharedMemory,
    channel_size,
    control_page,
    format_channel,
)
from dsql_core.storage import Arena

TREE = 5000


def ring(capacity: int = 1 << 18) -> SharedMemory:
    memory = SharedMemory(channel_size(capacity))
    format_channel(memory, 0, capacity)
    return memory


def put(key: int, value: bytes) -> tuple[int, int, bytes, bytes]:
    return m.PUT, TREE, key.to_bytes(4, "big"), value


def checks(*keys: int) -> list[int]:
    return [m.fingerprint_of(TREE, key.to_bytes(4, "big")) | m.VALIDATE | m.STAMP for key in keys]


class Node:
    """A data directory with the commit roles of one process and one query worker's rings."""

    def __init__(self, path: Path, arena: Arena | None = None, **arguments: object) -> None:
        self.directory = DataDirectory(path, segment_size=1 << 20)
        self.arena = arena or Arena.create(1 << 28)
        requests, replies = ring(), ring()
        self.requests, self.replies = ChannelHandle(requests), ChannelHandle(replies)
        try:
            self.roles = CommitRoles(self.directory, self.arena, [ChannelHandle(requests)], [ChannelHandle(replies)], **arguments)
        except BaseException:
            self.directory.close()
            raise
        self.token = 0

    def send(self, snapshot_ts: int, keys: list[int], ops: list, flags: int = 0) -> int:
        self.token += 1
        self.requests.send(m.encode_commit(snapshot_ts, checks(*keys), ops, reply_to=self.token, flags=flags))
        return self.token

    def answers(self, count: int) -> dict[int, dict]:
        """Steps until count answers came; sleeps on the journal's descriptor in between."""
        found: dict[int, dict] = {}
        descriptors = [handle.event_fd for handle in self.roles.handles if handle.event_fd >= 0]
        while len(found) < count:
            waiting = self.requests.backlog
            self.requests.flush()
            worked = self.roles.step() or self.requests.backlog != waiting
            while (got := self.replies.receive()) is not None:
                answer = m.decode_message(got)
                found[answer["reply_to"]] = answer
            if not worked and len(found) < count and descriptors:
                assert select.select(descriptors, [], [], 20)[0], "nothing happens any more"
        return found

    def commit(self, *ops: tuple, flags: int = 0, snapshot_ts: int | None = None) -> dict:
        keys = [int.from_bytes(op[2], "big") for op in ops]
        token = self.send(self.arena.visible_ts if snapshot_ts is None else snapshot_ts, keys, list(ops), flags)
        return self.answers(1)[token]

    def contents(self, tree: int = TREE) -> dict[bytes, bytes]:
        with self.arena.snapshot() as snapshot:
            return dict(snapshot.scan(tree))

    def close(self) -> None:
        self.roles.close()
        self.directory.close()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path / "db")
    yield node
    node.close()


def test_a_commit_is_visible_before_its_answer(node: Node) -> None:
    answer = node.commit(put(1, b"one"))
    assert answer["status"] == m.COMMITTED and answer["commit_ts"] == node.arena.visible_ts
    assert node.contents() == {b"\0\0\0\1": b"one"}
    assert node.arena.catalog_version == 0
    second = node.commit(put(2, b"two"), flags=m.FLAG_CATALOG)
    assert node.arena.catalog_version == second["commit_ts"] > answer["commit_ts"]
    node.commit((m.DELETE, TREE, b"\0\0\0\1", b""))
    assert node.contents() == {b"\0\0\0\2": b"two"} and node.arena.catalog_version == second["commit_ts"]
    node.commit((m.DROP_TREE, TREE, b"", b""))
    assert node.contents() == {}


def test_first_committer_wins(node: Node) -> None:
    snapshot_ts = node.arena.visible_ts
    tokens = [node.send(snapshot_ts, [1], [put(1, b"%d" % i)]) for i in range(5)]
    answers = node.answers(5)
    assert [answers[token]["status"] for token in tokens] == [m.COMMITTED, *[m.OC000] * 4]
    assert node.contents() == {b"\0\0\0\1": b"0"}
    assert node.commit(put(1, b"again"))["status"] == m.COMMITTED


@pytest.mark.parametrize("inline", [False, True, None])
def test_random_history_survives_restarts(tmp_path: Path, inline: bool | None) -> None:
    """Concurrent transactions from stale snapshots: what was answered COMMITTED, in commit order, is what is there."""
    rng = random.Random(11)
    model: dict[bytes, bytes] = {}
    last: dict[int, int] = {}
    for generation in range(1, 4):
        node = Node(tmp_path / "db", flush_inline=inline)
        assert node.roles.recovery.generation == generation - 1 and node.contents() == model
        snapshots = [node.arena.visible_ts]
        for _ in range(60):
            sent: dict[int, tuple[int, list]] = {}
            for _ in range(rng.randrange(1, 30)):
                keys = rng.sample(range(60), rng.randrange(1, 5))
                snapshot_ts = rng.choice(snapshots[-3:])
                ops = [put(key, rng.randbytes(rng.choice([1, 20, 300, 5000]))) if rng.random() < 0.8
                       else (m.DELETE, TREE, key.to_bytes(4, "big"), b"") for key in keys]
                sent[node.send(snapshot_ts, keys, ops)] = (snapshot_ts, ops)
            answers = node.answers(len(sent))
            for token, (snapshot_ts, ops) in sorted(sent.items()):
                keys = [int.from_bytes(op[2], "big") for op in ops]
                conflict = any(last.get(key, 0) > snapshot_ts for key in keys)
                assert answers[token]["status"] == (m.OC000 if conflict else m.COMMITTED)
                if not conflict:
                    for kind, _, key, value in ops:
                        last[int.from_bytes(key, "big")] = answers[token]["commit_ts"]
                        if kind == m.PUT:
                            model[key] = value
                        else:
                            model.pop(key, None)
            assert node.contents() == model
            snapshots.append(node.arena.visible_ts)
        node.close()
    assert Node(tmp_path / "db").contents() == model


def test_a_restart_never_goes_back_in_time(tmp_path: Path) -> None:
    node = Node(tmp_path / "db")
    future = pack(HybridClock().now_us() + 3_600_000_000)
    node.close()
    node = Node(tmp_path / "db")
    node.roles.control.write_u64(0, future)  # a wall clock that was far ahead
    ahead = node.commit(put(1, b"x"))["commit_ts"]
    node.close()
    node = Node(tmp_path / "db")  # and is right again
    assert node.arena.visible_ts == ahead > future
    assert node.commit(put(1, b"y"))["commit_ts"] == ahead + 1
    node.close()


def test_a_new_writer_over_the_living_arena(tmp_path: Path) -> None:
    """The commit worker died, the arena did not: recovery continues it, and snapshots of the old time are refused."""
    node = Node(tmp_path / "db")
    stale = node.arena.visible_ts
    node.commit(put(1, b"one"))
    node.close()
    arena = Arena.attach(*node.arena.fds, writer=True)
    node = Node(tmp_path / "db", arena)
    assert node.roles.recovery.frames == 0 and node.roles.recovery.frames_checked == 2
    assert node.contents() == {b"\0\0\0\1": b"one"}
    assert node.commit(put(2, b"x"), snapshot_ts=stale)["status"] == m.TOO_OLD
    assert node.commit(put(2, b"two"))["status"] == m.COMMITTED
    node.close()


def test_a_failed_flush_is_unknown_then_read_only(node: Node) -> None:
    assert node.commit(put(1, b"kept"))["status"] == m.COMMITTED
    node.roles.owners["journal"].inject_failure(errno.EIO)
    lost = node.commit(put(2, b"lost"))
    assert lost["status"] == m.UNKNOWN and lost["commit_ts"] == 0
    assert node.commit(put(3, b"no"))["status"] == m.READ_ONLY
    assert node.contents() == {b"\0\0\0\1": b"kept"}
    assert node.roles.control.read_u64(STATUS_OFFSET) == m.READ_ONLY


def test_a_filling_arena_refuses_before_anything_is_durable(tmp_path: Path) -> None:
    node = Node(tmp_path / "db", Arena.create(1 << 20))
    statuses = []
    while not statuses or statuses[-1] == m.COMMITTED:
        statuses.append(node.commit(put(len(statuses), bytes(1500)))["status"])
    committed = len(statuses) - 1
    assert statuses[-1] == m.FULL
    assert node.commit(put(9999, b"x"))["status"] == m.FULL
    assert len(node.contents()) == committed > 100
    node.close()
    node = Node(tmp_path / "db")  # with room again: exactly what was acknowledged
    assert len(node.contents()) == committed
    assert node.commit(put(9999, b"x"))["status"] == m.COMMITTED
    node.close()


def test_a_commit_beyond_the_reserve_is_unknown_then_full_and_reads_go_on(tmp_path: Path) -> None:
    node = Node(tmp_path / "db", Arena.create(1 << 20))
    assert node.commit(put(0, b"kept"))["status"] == m.COMMITTED
    token = node.send(node.arena.visible_ts, list(range(1, 201)), [put(i, bytes(3500)) for i in range(1, 201)])
    assert node.answers(1)[token]["status"] == m.UNKNOWN  # it is in the journal: nobody may be told it is not
    assert node.commit(put(9999, b"x"))["status"] == m.FULL
    assert len(node.contents()) == 1
    node.close()
    node = Node(tmp_path / "db")  # with room again, the unknown one turns out to have happened
    assert len(node.contents()) == 201
    node.close()


def test_large_transactions_cross_small_rings(node: Node) -> None:
    """10 MiB through 256 KiB rings, beside small ones."""
    ops = [put(i, bytes(3500)) for i in range(3000)]
    token = node.send(node.arena.visible_ts, list(range(3000)), ops)
    small = node.send(node.arena.visible_ts, [5000], [put(5000, b"s")])
    answers = node.answers(2)
    assert [answers[token]["status"], answers[small]["status"]] == [m.FULL, m.COMMITTED]  # segments of 1 MiB here
    token = node.send(node.arena.visible_ts, list(range(200)), ops[:200])
    assert node.answers(1)[token]["status"] == m.COMMITTED
    assert len(node.contents()) == 201


def test_storage_needs_frames_that_are_gone(tmp_path: Path) -> None:
    node = Node(tmp_path / "db")
    for i in range(1500):
        node.roles.control.write_u64(TRIM_SEQ_OFFSET, i)
        node.commit(put(i % 7, random.Random(i).randbytes(3000)))
    assert node.roles.statistics()["journal"]["segments_recycled"] > 0
    arena = node.arena
    node.close()
    with pytest.raises(OperatorError, match=r"the journal starts at frame \d+, storage needs frame 1"):
        Node(tmp_path / "db")  # an empty arena, as if the checkpoint were lost
    node = Node(tmp_path / "db", Arena.attach(*arena.fds, writer=True))
    assert len(node.contents()) == 7
    node.close()


def test_a_journal_that_ends_before_storage_is_refused(tmp_path: Path) -> None:
    node = Node(tmp_path / "db")
    for i in range(5):
        node.commit(put(i, b"x"))
    arena = node.arena
    node.close()
    for path in (tmp_path / "db" / "journal").glob("*.segment"):
        path.unlink()
    with pytest.raises(OperatorError, match="frame 1 is missing: the journal ends here, yet frame 6 had been acknowledged"):
        Node(tmp_path / "db", Arena.attach(*arena.fds, writer=True))
    (tmp_path / "db" / "journal" / "durable.mark").unlink()
    with pytest.raises(OperatorError, match="acknowledged frames are missing"):
        Node(tmp_path / "db", Arena.attach(*arena.fds, writer=True))


def test_damage_is_an_operators_matter(tmp_path: Path) -> None:
    node = Node(tmp_path / "db")
    node.commit(put(1, b"x" * 100))
    node.close()
    path = tmp_path / "db" / "journal" / f"{1:016x}.segment"
    data = bytearray(path.read_bytes())
    data[700] ^= 1
    path.write_bytes(data)
    with pytest.raises(OperatorError, match=r"0000000000000001.segment: offset 512: frame 2: payload damaged"):
        Node(tmp_path / "db")
    assert path.read_bytes() == data


def run_loop(handles: list[RoleHandle], bell: DoorbellHandle) -> None:
    """What the compiled loop does, for as long as the process lives."""
    descriptors = [bell.fd, *(handle.event_fd for handle in handles if handle.event_fd >= 0)]
    while True:
        while sum(handle.step() for handle in handles):
            pass
        bell.arm()
        if not sum(handle.step() for handle in handles):
            select.select(descriptors, [], [], 30)
        bell.disarm()


class Apart:
    """The roles in processes of their own (or all four in one), over shared rings; this process is the query worker."""

    def __init__(self, path: Path, groups: list[tuple[str, ...]]) -> None:
        self.directory = DataDirectory(path, segment_size=1 << 20)
        self.arena = Arena.create(1 << 28)
        self.control = control_page()
        self.bell = DoorbellHandle()
        together = groups == [ROLES]
        hops = None if together else Hops.create(apart=True)
        bells = {role: DoorbellHandle() for role in ROLES} if hops is None else hops.bells
        if together:
            bells = dict.fromkeys(ROLES, bells["adjudicator"])
        requests, replies = ring(), ring()
        self.children = []
        for group in groups:
            pid = os.fork()
            if pid == 0:
                try:
                    arena = Arena.attach(*self.arena.fds, writer="storage" in group)
                    roles = CommitRoles(self.directory, arena, [ChannelHandle(requests, doorbell=self.bell)],
                                        [ChannelHandle(replies, doorbell=self.bell)], control=self.control,
                                        doorbell=bells[group[0]], roles=group, hops=hops)
                    run_loop(roles.handles, bells[group[0]])
                finally:
                    os._exit(1)
            self.children.append(pid)
        self.requests = ChannelHandle(requests, doorbell=bells["adjudicator"])
        self.replies = ChannelHandle(replies, doorbell=bells["storage"])
        self.bell.arm()
        while self.control.read_u64(REPLAYED_OFFSET) == 0:
            select.select([], [], [], 0.001)

    def send(self, token: int, keys: list[int], ops: list) -> None:
        self.requests.send(m.encode_commit(self.arena.visible_ts, checks(*keys), ops, reply_to=token))

    def answer(self) -> dict:
        while True:
            self.bell.disarm()
            self.requests.flush()
            got = self.replies.receive()
            if got is not None:
                return m.decode_message(got)
            self.bell.arm()
            if self.replies.is_empty():
                assert select.select([self.bell.fd], [], [], 20)[0], "an answer was lost"

    def kill(self) -> None:
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)
        for pid in self.children:
            os.waitpid(pid, 0)
        self.directory.close()


@pytest.mark.parametrize("groups", [[ROLES], [("adjudicator", "journal"), ("crossbar", "storage")], [(r,) for r in ROLES]],
                         ids=["one", "two", "four"])
def test_processes_and_kill(tmp_path: Path, groups: list[tuple[str, ...]]) -> None:
    """Acknowledged commits survive SIGKILL of everything with commits in flight; transactions are whole or absent."""
    apart = Apart(tmp_path / "db", groups)
    acknowledged: set[int] = set()
    refused = 0
    token = 0
    outstanding = 0
    while len(acknowledged) < 1500:
        while outstanding < 40:
            token += 1
            outstanding += 1
            # Each transaction writes three keys with its own number; every tenth fights for one key.
            keys = [token * 4, token * 4 + 1, token * 4 + 2]
            fought = [3] if token % 10 == 0 else []
            apart.send(token, keys + fought, [put(key, b"%d" % token * (1 + token % 90)) for key in keys])
        answer = apart.answer()
        outstanding -= 1
        if answer["status"] == m.COMMITTED:
            assert apart.arena.visible_ts >= answer["commit_ts"]
            acknowledged.add(answer["reply_to"])
        else:
            assert answer["status"] == m.OC000
            refused += 1
    apart.kill()
    assert refused > 0
    node = Node(tmp_path / "db")
    found: dict[int, int] = {}
    for key in node.contents():
        number = int.from_bytes(key, "big") // 4
        found[number] = found.get(number, 0) + 1
    assert set(found.values()) == {3}
    assert acknowledged <= set(found) <= set(range(1, token + 1))
    assert node.commit(put(1, b"on"))["status"] == m.COMMITTED
    node.close()
