"""Text forms that several families read and write: arrays, booleans, intervals, errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from opendsql.errors import DsqlError

Nested = list[Any]  # of str | None | Nested


@dataclass(slots=True)
class PgArray:
    """An array as its text says: nested lists of texts and Nones, and the lower bound of each dimension."""

    items: Nested
    lower: list[int]

    @property
    def dimensions(self) -> int:
        """Number of dimensions, 0 when empty."""
        return len(self.lower)

    def flat(self) -> list[str | None]:
        """Every element, row by row."""
        return _flatten(self.items)


def _flatten(items: Nested) -> list[str | None]:
    out: list[str | None] = []
    for item in items:
        if isinstance(item, list):
            out.extend(_flatten(item))
        else:
            out.append(item)
    return out


def parse_array(text: str) -> PgArray:
    """The array an array_out text describes."""
    if not text.startswith(("{", "[")):  # int2vector, oidvector: blanks between, counted from 0
        return PgArray(list(text.split()), [0])
    lower: list[int] = []
    if text.startswith("["):
        bounds, _, text = text.partition("=")
        lower = [int(part.split(":")[0]) for part in bounds[1:-1].split("][")]
    items, _ = _parse_level(text, 0)
    depth = _depth(items)
    return PgArray(items, lower or [1] * depth)


def _depth(items: Nested) -> int:
    if not items:
        return 0
    return 1 + (_depth(items[0]) if isinstance(items[0], list) else 0)


def _parse_level(text: str, at: int) -> tuple[Nested, int]:
    # text[at] is "{"; returns the items and the place behind the closing brace.
    items: Nested = []
    at += 1
    while text[at] != "}":
        if text[at] == "{":
            item, at = _parse_level(text, at)
            items.append(item)
        elif text[at] == '"':
            value, at = _parse_quoted(text, at + 1)
            items.append(value)
        else:
            start = at
            while text[at] not in ",}":
                at += 1
            word = text[start:at]
            items.append(None if word == "NULL" else word)
        if text[at] == ",":
            at += 1
    return items, at + 1


def _parse_quoted(text: str, at: int) -> tuple[str, int]:
    out = []
    while text[at] != '"':
        if text[at] == "\\":
            at += 1
        out.append(text[at])
        at += 1
    return "".join(out), at + 1


def format_array(items: Nested, lower: list[int] | None = None) -> str:
    """array_out's text of nested lists; lower bounds are written when one is not 1."""
    body = _format_level(items)
    if not items or not lower or all(bound == 1 for bound in lower):
        return body
    sizes = []
    level: Any = items
    for bound in lower:
        sizes.append(f"[{bound}:{bound + len(level) - 1}]")
        level = level[0] if level and isinstance(level[0], list) else []
    return "".join(sizes) + "=" + body


def _format_level(items: Nested) -> str:
    return "{" + ",".join(_format_level(item) if isinstance(item, list) else array_item(item) for item in items) + "}"


def array_item(value: str | None) -> str:
    """One element as array_out writes it."""
    if value is None:
        return "NULL"
    if value == "" or value.upper() == "NULL" or any(c in '{},"\\' or c.isspace() for c in value):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return value


def is_true(text: str) -> bool:
    """A bool_out text."""
    return text == "t"


def bool_text(value: object) -> str:
    """bool_out."""
    return "t" if value else "f"


def invalid(message: str, **kwargs: Any) -> DsqlError:
    """22023 invalid_parameter_value."""
    return DsqlError("22023", message, **kwargs)
