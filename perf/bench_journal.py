"""Commits through all four roles with a real flush, by number of commits outstanding, beside the bare disk.

The client side is a Python loop over the rings of this process, so the small counts measure latency (one flush each) and
the large ones the roles themselves. Floor: a 512-byte durable write into a prepared file on this disk, in the same run.
Set BENCH_DIRECTORY to measure another disk than the one of the temporary directory.
"""

import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest
from opendsql.cluster.roles import CommitRoles
from opendsql.journal import DataDirectory

from dsql_core.codec import message as m
from dsql_core.shared import ChannelHandle, SharedMemory, channel_size, format_channel
from dsql_core.storage import Arena


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    chosen = os.environ.get("BENCH_DIRECTORY")
    return Path(chosen) / f"bench-{os.getpid()}" if chosen else tmp_path


def test_floor(benchmark, directory: Path) -> None:
    """The disk alone."""
    directory.mkdir(exist_ok=True)
    path = directory / "probe"
    path.write_bytes(bytes(1 << 20))
    fd = os.open(path, os.O_RDWR | os.O_DSYNC)
    at = 0

    def write() -> None:
        nonlocal at
        os.pwrite(fd, bytes(512), at)
        at = (at + 512) % (1 << 20)

    benchmark.pedantic(write, rounds=500, warmup_rounds=20)
    os.close(fd)
    path.unlink()


class Client:
    """One query worker's rings and the roles behind them."""

    def __init__(self, directory: DataDirectory, arena: Arena, inline: bool | None) -> None:
        rings = [SharedMemory(channel_size(1 << 20)) for _ in range(2)]
        for ring in rings:
            format_channel(ring)
        self.requests, self.replies = ChannelHandle(rings[0]), ChannelHandle(rings[1])
        self.arena = arena
        self.roles = CommitRoles(directory, arena, [ChannelHandle(rings[0])], [ChannelHandle(rings[1])], flush_inline=inline)
        self.descriptors = [handle.event_fd for handle in self.roles.handles if handle.event_fd >= 0]

    def encode(self, count: int, value_size: int) -> list[bytes]:
        """Requests that conflict with nobody, one row each."""
        encoded = []
        for _ in range(count):
            key = os.urandom(8)
            checks = [m.fingerprint_of(9, key) | m.VALIDATE | m.STAMP]
            encoded.append(m.encode_commit(self.arena.visible_ts, checks, [(m.PUT, 2000, key, os.urandom(value_size))]))
        return encoded

    def run(self, encoded: list[bytes], outstanding: int) -> None:
        """All requests, with that many in flight."""
        sent = done = 0
        while done < len(encoded):
            while sent - done < outstanding and sent < len(encoded):
                self.requests.send(encoded[sent])
                sent += 1
            worked = self.roles.step()
            while (reply := self.replies.receive()) is not None:
                assert reply[6] == m.COMMITTED
                done += 1
                worked = 1
            if not worked and done < len(encoded):
                select.select(self.descriptors, [], [], 5)


@pytest.fixture(params=[False, True, None], ids=["thread", "inline", "auto"])
def client(request: pytest.FixtureRequest, directory: Path) -> Iterator[Client]:
    with DataDirectory(directory / "db") as opened, Arena.create(4 << 30) as arena:
        client = Client(opened, arena, request.param)
        yield client
        client.roles.close()


@pytest.mark.parametrize("outstanding", [1, 4, 16, 64, 256, 1024])
def test_commits(benchmark, client: Client, outstanding: int) -> None:
    """A round is COUNT commits of one 100-byte row."""
    count = min(2000 * outstanding, 60_000)
    encoded = client.encode(count * 2, 100)
    halves = iter((encoded[:count], encoded[count:]))
    benchmark.pedantic(lambda: client.run(next(halves), outstanding), rounds=2)
    journal = client.roles.statistics()["journal"]
    frames = journal["frames"] - 1
    if benchmark.stats is None:  # --benchmark-disable
        return
    print(f"\n{outstanding} outstanding: {count / benchmark.stats.stats.min:,.0f} commits/s, {count * 2 / frames:.1f} a frame of "
          f"{journal['stored_bytes'] // frames} bytes, flush {journal['flush_ns_total'] / frames / 1e3:.0f} us on average")
