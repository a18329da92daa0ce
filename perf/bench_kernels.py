"""Hot kernels over a million rows, batch by batch, as the executor drives them: ns per row.

    python perf/bench_kernels.py [rows]

Numbers are for the machine they run on; compare relative to `copy` (a memcpy of the same bytes).
"""

import sys

from dsql_core.execute.kernels.harness import bench

CASES = [
    ("int4 > const", "int4gt", 16, [23, 23], True),
    ("int8 = int8", "int8eq", 16, [20, 20], False),
    ("float8 < const", "float8lt", 16, [701, 701], True),
    ("int4 + int4", "int4pl", 23, [23, 23], False),
    ("int8 + const", "int8pl", 20, [20, 20], True),
    ("int8 * int8", "int8mul", 20, [20, 20], False),
    ("float8 * float8", "float8mul", 701, [701, 701], False),
    ("numeric + numeric", "numeric_add", 1700, [1700, 1700], False),
    ("numeric > const", "numeric_gt", 16, [1700, 1700], True),
    ("text = const", "texteq", 16, [25, 25], True),
    ("text || text", "textcat", 25, [25, 25], False),
    ("length(text)", "textlen", 23, [25], False),
    ("extract(year)", "extract", 1700, [25, 1114], False),
]
AGGREGATES = [
    ("count(*)", "count_star", 20, []),
    ("sum(int4)", "sum_int4", 20, [23]),
    ("sum(int8)", "sum_int8", 1700, [20]),
    ("sum(float8)", "sum_float8", 701, [701]),
    ("sum(numeric)", "sum_numeric", 1700, [1700]),
    ("max(int4)", "max_int4", 23, [23]),
    ("max(text)", "max_text", 25, [25]),
]


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    for label, name, oid, types, constant in CASES:
        print(f"{label:<22} {bench(name, oid, types, rows, constant=constant):7.2f} ns/row")
    for label, name, oid, types in AGGREGATES:
        print(f"{label:<22} {bench(name, oid, types, rows, is_aggregate=True):7.2f} ns/row")


if __name__ == "__main__":
    main()
