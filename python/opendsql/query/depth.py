"""How deep a statement nests, bounded before the grammar reads it: its parser recurses on the C stack, which has an end.

    select 1-1-1-1 ...      each operator one deeper          not not not ...   f(f(f( ...   a[b[c[ ...

too_deep is exact where it matters and cheap elsewhere: a text with few operator characters cannot nest deeply, nor one
with few outside of strings and comments; only what is left is walked with a stack of parentheses, where a comma ends
the operators before it.
"""

from __future__ import annotations

import re

NESTING_MAX = 20_000  # the parser's stack lasts for more than twice as many

_SIGNS = "+-*/|<>=~!@#%^&?:([."
_WORDS = ("not", "is", "join", "union", "except", "intersect", "collate", "like", "in", "at", "between", "case", "similar", "operator")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$", re.S)
_TOKEN = re.compile(rf"([(\[])|([)\]])|([,;])|(?:[{re.escape(_SIGNS)}]|\b(?:{'|'.join(_WORDS)})\b)+", re.I)
_QUERIES = re.compile(r"\b(?:join|union|except|intersect)\b", re.I)


def too_deep(text: str) -> bool:
    """Whether the statements of text may nest deeper than NESTING_MAX."""
    if len(text) <= NESTING_MAX or _most(text) <= NESTING_MAX:
        return False
    bare = _QUOTED.sub("''", text)
    if _most(bare) <= NESTING_MAX:
        return False
    return len(_QUERIES.findall(bare)) > NESTING_MAX or _deepest(bare) > NESTING_MAX


def _most(text: str) -> int:
    lowered = text.lower()
    return sum(map(lowered.count, _SIGNS)) + sum(map(lowered.count, _WORDS))


def _deepest(text: str) -> int:
    depth = deepest = here = 0  # of this place, so far, of the operators since the last comma at this level
    outer: list[int] = []
    for token in _TOKEN.finditer(text):
        opens, closes, ends = token.groups()
        if opens:
            outer.append(here)
            here = 0
            depth += 1
        elif closes:
            depth -= here
            here = outer.pop() + 1 if outer else 0  # what stood in parentheses is one more operand
        elif ends:
            depth -= here
            here = 0
        else:
            here += 1
            depth += 1
        deepest = max(deepest, depth)
    return deepest
