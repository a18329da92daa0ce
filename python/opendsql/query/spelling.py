"""What the grammar has words for: how EXPLAIN writes calls that were not written as name(arguments).

spelled(name, count) is the template of such a call, {0} ... standing for its arguments; "" = an ordinary call.
"""

from __future__ import annotations

_TEMPLATES = {
    ("extract", 2): "EXTRACT({0} FROM {1})",
    ("timezone", 2): "({1} AT TIME ZONE {0})",
    ("position", 2): "POSITION(({1}) IN ({0}))",
    ("overlay", 3): "OVERLAY({0} PLACING {1} FROM {2})",
    ("overlay", 4): "OVERLAY({0} PLACING {1} FROM {2} FOR {3})",
    ("overlaps", 4): "(({0}, {1}) OVERLAPS ({2}, {3}))",
    ("substring", 2): "SUBSTRING({0} FROM {1})",
    ("substring", 3): "SUBSTRING({0} FROM {1} FOR {2})",
    ("btrim", 1): "TRIM(BOTH FROM {0})",
    ("btrim", 2): "TRIM(BOTH {1} FROM {0})",
    ("ltrim", 1): "TRIM(LEADING FROM {0})",
    ("ltrim", 2): "TRIM(LEADING {1} FROM {0})",
    ("rtrim", 1): "TRIM(TRAILING FROM {0})",
    ("rtrim", 2): "TRIM(TRAILING {1} FROM {0})",
    ("normalize", 1): "NORMALIZE({0})",
}


def spelled(name: str, count: int) -> str:
    """The template of a call the grammar spells out."""
    return _TEMPLATES.get((name, count), "")


def value_function(op: str, typmod: int) -> str:
    """CURRENT_DATE and its like, by the parse tree's name for them."""
    name = op.removeprefix("SVFOP_")
    return f"{name.removesuffix('_N')}({typmod})" if name.endswith("_N") else name
