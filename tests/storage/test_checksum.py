"""CRC32C: published vectors (RFC 3720 B.4), and the instruction against the table."""

import random

import pytest

from dsql_core.storage.checkpoint import checksum


@pytest.mark.parametrize("portable", [False, True])
@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_vectors(data: bytes, crc: int, portable: bool) -> None:
    assert checksum(data, portable=portable) == crc


def test_both_forms_and_every_split_agree() -> None:
    rng = random.Random(1)
    for _ in range(300):
        data = rng.randbytes(rng.randrange(0, 300))
        cut = rng.randrange(0, len(data) + 1)
        whole = checksum(data)
        assert whole == checksum(data, portable=True)
        assert whole == checksum(data[cut:], checksum(data[:cut])) == checksum(data[cut:], checksum(data[:cut]), True)
