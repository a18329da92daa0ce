"""Nanoseconds of the types' and codecs' inner loops. Run from the root after a default build."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from dsql_core.codec.face import RowCodec, measure_key  # noqa: E402
from dsql_core.types.face import measure  # noqa: E402

SAMPLES = {
    "int4": (23, "123456"),
    "int8": (20, "1234567890123"),
    "numeric small": (1700, "1234567.89"),
    "numeric large": (1700, "12345678901234567890.123456"),
    "text 12": (25, "hello, world"),
    "uuid": (2950, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "timestamptz": (1184, "2024-02-29 12:34:56.789+00"),
    "float8": (701, "1234.5678"),
    "bool": (16, "t"),
    "date": (1082, "2024-02-29"),
}
ROUNDS = 200_000


def best(call, times: int = 5) -> float:
    """Least of several runs: the machine is shared."""
    return min(call() for _ in range(times))


def main() -> None:
    """One line per type: key part, input, output, compare, hash; then numeric operations; then row_gather."""
    print(f"{'ns':>14} {'key':>7} {'input':>7} {'output':>7} {'compare':>7} {'hash':>7}")
    for name, (oid, text) in SAMPLES.items():
        figures = [best(lambda oid=oid, text=text: measure_key(oid, text, ROUNDS))]
        figures += [
            best(lambda what=what, oid=oid, text=text: measure(what, oid, text, text, ROUNDS))
            for what in ("input", "output", "compare", "hash")
        ]
        print(f"{name:>14} " + " ".join(f"{figure:7.1f}" for figure in figures))
    for name, a, b in (
        ("small", "1234567.89", "0.05"),
        ("large", "12345678901234567890.123456", "98765432109876543210.5"),
    ):
        figures = {
            what: best(lambda what=what, a=a, b=b: measure(what, 1700, a, b, ROUNDS)) for what in ("+", "*", "/", "sum")
        }
        print(f"numeric {name}: " + ", ".join(f"{what} {figure:.1f}" for what, figure in figures.items()))
    oids = [oid for oid, _ in SAMPLES.values()]
    codec = RowCodec(oids)
    for count in (1024, 100_000):
        images = [codec.encode([text for _, text in SAMPLES.values()]) for _ in range(count)]
        print(
            f"row_gather of {count} rows, ns per value: "
            + ", ".join(
                f"{name} {best(lambda c=c, rows=images: codec.measure_gather(rows, c, 2_000_000 // len(rows)), 3):.2f}"
                for c, name in enumerate(SAMPLES)
            )
        )


if __name__ == "__main__":
    main()
