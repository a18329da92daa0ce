"""Keys: memcmp order is type order, parts are self-delimiting, successors bound prefixes."""

from __future__ import annotations

import math
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsql_core import types
from dsql_core.codec import key_encode, key_part_sizes, key_successor

TEXTS = st.text(alphabet=st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=12)


def numerics() -> st.SearchStrategy[str]:
    """Numerics of both forms, with specials."""
    number = st.builds(
        lambda mantissa, scale: f"{mantissa}e-{scale}",
        st.integers(-(10**30), 10**30) | st.integers(-300, 300),
        st.integers(0, 40),
    )
    return number | st.sampled_from(
        ["NaN", "Infinity", "-Infinity", "0", "0.000", "1e300", "-1e300", "1e-300", "99", "100", "9999.9999"]
    )


def floats(width: int) -> st.SearchStrategy[str]:
    """Floats with specials, as texts."""
    return st.floats(width=width).map(lambda v: "NaN" if math.isnan(v) else repr(v).replace("inf", "infinity"))


INTERVALS = st.builds(
    lambda m, d, us: f"{m} months {d} days {us} us",
    st.integers(-5000, 5000),
    st.integers(-100000, 100000),
    st.integers(-(10**13), 10**13),
)
DATES = st.dates().map(str) | st.sampled_from(["infinity", "-infinity", "0044-03-15 BC"])
MOMENTS = st.datetimes().map(str) | st.sampled_from(["infinity", "-infinity", "0044-03-15 BC", "200000-01-01"])

BY_TYPE = {
    16: st.sampled_from(["t", "f"]),
    21: st.integers(-32768, 32767).map(str),
    23: st.integers(-(2**31), 2**31 - 1).map(str),
    20: st.integers(-(2**63), 2**63 - 1).map(str),
    26: st.integers(0, 2**32 - 1).map(str),
    700: floats(32),
    701: floats(64),
    1700: numerics(),
    25: TEXTS,
    1043: TEXTS,
    1042: TEXTS,
    19: TEXTS,
    17: st.binary(max_size=12).map(lambda b: "\\x" + b.hex()),
    1082: DATES,
    1083: st.times().map(str),
    1114: MOMENTS,
    1184: MOMENTS,
    1186: INTERVALS,
    2950: st.uuids(allow_nil=True).map(str),
    1266: st.builds(lambda t, h: f"{t}{h:+03d}:30", st.times(), st.integers(-14, 14)),
}


def sign(value: int) -> int:
    """-1, 0, 1."""
    return (value > 0) - (value < 0)


@pytest.mark.parametrize("oid", sorted(BY_TYPE))
def test_order(oid):
    @settings(max_examples=300, deadline=None)
    @given(BY_TYPE[oid], BY_TYPE[oid])
    def check(a, b):
        x, y = key_encode([(oid, a, False)]), key_encode([(oid, b, False)])
        order = types.compare(oid, a, b)
        assert sign((x > y) - (x < y)) == order
        assert order == 0 or not (x.startswith(y) or y.startswith(x))
        assert order != 0 or types.same_hash(oid, a, b)
        assert key_part_sizes(x + y, [oid, oid]) == [len(x), len(y)]
        assert key_encode([(oid, None, True)]) < x < key_encode([(oid, None, False)])

    check()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(TEXTS, numerics(), st.integers(-9, 9)), min_size=2, max_size=6))
def test_composite_order(rows):
    def key(row):
        return key_encode([(25, row[0], False), (1700, row[1], False), (23, str(row[2]), True)])

    def ordered(a, b):
        return types.compare(25, a[0], b[0]) or types.compare(1700, a[1], b[1]) or (a[2] > b[2]) - (a[2] < b[2])

    for a in rows:
        for b in rows:
            assert sign((key(a) > key(b)) - (key(a) < key(b))) == ordered(a, b)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=6), st.binary(max_size=6))
def test_successor(prefix, suffix):
    bound = key_successor(prefix)
    if bound is None:
        assert all(byte == 0xFF for byte in prefix)
    else:
        assert prefix + suffix < bound
        assert not bound.startswith(prefix) or prefix == b""


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=24), st.sampled_from(sorted(BY_TYPE)))
def test_malformed_keys_are_refused_or_bounded(data, oid):
    try:
        (size,) = key_part_sizes(data, [oid])
    except ValueError:
        return
    assert 0 < size <= len(data)


def test_golden_bytes():
    """The encoding is on disk: it must not change unnoticed."""
    cases = {
        (23, "5"): "0180000005",
        (23, "-1"): "017fffffff",
        (16, "t"): "0101",
        (25, "ab"): "01616200",
        (1042, "ab  "): "01616200",
        (17, "\\x6100ff"): "016100ffff0001",
        (701, "1"): "01bff0000000000000",
        (701, "-0"): "018000000000000000",
        (1700, "1.5"): "0140800102" + "3300",
        (1700, "-1.5"): "01207ffefdccff",
        (1700, "0"): "0130",
        (1700, "NaN"): "0160",
        (1082, "2000-01-02"): "0180000001",
        (2950, str(uuid.UUID(int=1))): "01" + "00" * 15 + "01",
        (1186, "1 day"): "01" + f"{86400000000 + (1 << 127):032x}",
    }
    assert {case: key_encode([(*case, False)]).hex() for case in cases} == cases


def test_types_without_order_are_refused():
    for oid, text in ((114, "{}"), (3802, "{}"), (1007, "{1}")):
        with pytest.raises(TypeError):
            key_encode([(oid, text, False)])
