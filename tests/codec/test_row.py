"""Row images: round trip, columnar reading, added columns, malformed images."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsql_core import types
from dsql_core.codec import RowCodec

SAMPLES = {
    16: ["t", "f"],
    21: ["-5", "32767"],
    23: ["0", "-2147483648"],
    20: ["9223372036854775807"],
    26: ["4294967295"],
    700: ["1.5", "NaN"],
    701: ["-0", "1e-300"],
    1700: ["1.50", "-1e40", "NaN"],
    25: ["", "héllo", "x" * 3000],
    1043: ["v"],
    1042: ["c "],
    19: ["name"],
    17: ["\\x00ff", "\\x"],
    1082: ["2024-02-29", "infinity"],
    1083: ["24:00:00"],
    1266: ["01:02:03-08"],
    1114: ["2024-02-29 01:02:03.5"],
    1184: ["-infinity"],
    1186: ["1 mon -2 days 00:00:01"],
    2950: ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    114: ['{"a":1}'],
    3802: ['{"a": 1}'],
    1007: ["{1,NULL,3}"],
    1009: ['{a,""}'],
}


@st.composite
def rows(draw):
    """Column types and a row for them."""
    oids = draw(st.lists(st.sampled_from(sorted(SAMPLES)), min_size=1, max_size=40))
    return oids, [draw(st.sampled_from(SAMPLES[oid]) | st.none()) for oid in oids]


@settings(max_examples=300, deadline=None)
@given(rows())
def test_round_trip(row):
    oids, values = row
    codec = RowCodec(oids)
    image = codec.encode(values)
    wanted = [None if v is None else types.normalise(oid, v) for oid, v in zip(oids, values, strict=True)]
    assert codec.decode(image) == wanted
    assert image == codec.encode(values)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_gather_equals_decode(data):
    oids = data.draw(st.lists(st.sampled_from(sorted(SAMPLES)), min_size=1, max_size=12))
    codec, shorter = RowCodec(oids), RowCodec(oids[:-1])
    images = []
    for _ in range(data.draw(st.integers(1, 20))):
        values = [data.draw(st.sampled_from(SAMPLES[oid]) | st.none()) for oid in oids]
        # Some rows were written before the last column was added.
        images.append(shorter.encode(values[:-1]) if data.draw(st.booleans()) else codec.encode(values))
    decoded = [codec.decode(image) for image in images]
    for column in range(len(oids)):
        assert codec.gather(images, column) == [row[column] for row in decoded]


def test_added_column_reads_as_null():
    old = RowCodec([23, 25]).encode(["1", "x"])
    assert RowCodec([23, 25, 1700]).decode(old) == ["1", "x", None]


def test_golden_bytes():
    image = RowCodec([23, 25, 16]).encode(["1", "ab", None])
    assert image.hex() == struct.pack("<HHIiIIB", 3, 21, 24, 1, 22, 2, 0).hex() + "04" + b"ab".hex()


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 80), st.integers(0, 255))
def test_malformed_images_are_refused(noise, position, byte):
    # row_check vouches for sizes and offsets, not for the inside of values (numeric, arrays): text and integers only.
    codec = RowCodec([23, 25, 17, 20])
    image = bytearray(codec.encode(["1", "hello", "\\x00ff", "7"]))
    for damaged in (noise, bytes(image[: position % len(image)])):
        with pytest.raises(ValueError, match="malformed"):
            codec.decode(damaged)
    # A changed offset or size must stay inside the image or be refused.
    image[position % 32] = byte
    try:
        codec.decode(bytes(image))
    except (ValueError, OverflowError):
        pass


def test_wrong_number_of_values():
    with pytest.raises(ValueError, match="expected 2"):
        RowCodec([23, 23]).encode(["1"])
