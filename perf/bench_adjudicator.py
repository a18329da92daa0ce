"""What a conflict check costs: check + stamp of one key by table size, and whole requests from Python bytes.

Divide: a round of test_table is KEYS keys, a round of test_request is one request.
"""

import numpy as np
import pytest

from dsql_core.adjudicator import ConflictSet
from dsql_core.codec import message as m

KEYS = 100_000


@pytest.mark.parametrize("live_keys", [10_000, 300_000, 2_500_000, 10_000_000])
def test_table(benchmark, live_keys: int) -> None:
    """Random keys over a table that remembers live_keys of them, after its growth has settled."""
    conflict_set = ConflictSet(capacity=1 << 16, capacity_max=1 << 25)
    rng = np.random.default_rng(7)
    keys = rng.integers(1, 1 << 61, live_keys, dtype=np.uint64) << np.uint64(3)
    conflict_set.measure(keys, 1000)
    slots = conflict_set.statistics["slots"]
    conflict_set.measure(rng.choice(keys, slots // 16 + 1), 1500)
    benchmark.extra_info["table MiB"] = slots * 16 >> 20
    sample = rng.choice(keys, KEYS)
    benchmark.pedantic(conflict_set.measure, (sample, 2000), rounds=7, warmup_rounds=1)
    if benchmark.stats is None:  # --benchmark-disable
        return
    benchmark.extra_info["ns a key"] = round(benchmark.stats.stats.median / KEYS * 1e9, 1)
    print(f"\n{live_keys:,} keys, {slots * 16 >> 20} MiB: {benchmark.extra_info['ns a key']} ns a key")


@pytest.mark.parametrize("checks", [1, 4, 100, 3000])
def test_request(benchmark, checks: int) -> None:
    """First-time keys: every stamp finds a free slot, growth included."""
    conflict_set = ConflictSet()
    number = 0

    def fresh() -> tuple[tuple[bytes, int], dict]:
        nonlocal number
        number += 1
        keys = [m.fingerprint_of(number, b"%d" % i) | m.VALIDATE | m.STAMP for i in range(checks)]
        return (m.encode_commit(1 << 60, keys, []), 1), {}

    assert benchmark.pedantic(conflict_set.commit, setup=fresh, rounds=2000 // checks + 20)[0] == m.COMMITTED
