"""JSON as text: finding values inside a document without parsing all of it, and writing values.

A document is walked with the standard library's C scanners; what is found is given as the slice of the source, so
numbers keep their digits and json its blanks. jsonb is text in canonical form, so its slices are canonical too.

Number: a JSON number that keeps its text. dumps writes the loose form; jsonb's input puts it in canonical form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from json.decoder import JSONDecoder, scanstring  # type: ignore[attr-defined]  # there, but not in the stubs
from typing import Any

_BLANK = re.compile(r"[ \t\n\r]*")
_skip = _BLANK.match


class Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


_decoder = JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=Number)


def loads(text: str) -> Any:
    """The value: dict, list, str, Number, bool or None."""
    return _decoder.decode(text)


def _blanks(text: str, at: int) -> int:
    match = _skip(text, at)
    return match.end() if match else at


def kind(text: str) -> str:
    """json_typeof: object, array, string, number, boolean, null."""
    first = text[_blanks(text, 0)]
    return {"{": "object", "[": "array", '"': "string", "t": "boolean", "f": "boolean", "n": "null"}.get(first, "number")


def _value_end(text: str, at: int) -> int:
    # Where the value that starts at `at` ends. Scalars and strings by hand, the rest by the scanner.
    return _decoder.raw_decode(text, at)[1]


def members(text: str) -> Iterator[tuple[str, str]]:
    """Keys and value slices of an object."""
    at = _blanks(text, _blanks(text, 0) + 1)
    while text[at] != "}":
        key, at = scanstring(text, at + 1)
        at = _blanks(text, _blanks(text, at) + 1)
        end = _value_end(text, at)
        yield key, text[at:end]
        at = _blanks(text, end)
        if text[at] == ",":
            at = _blanks(text, at + 1)


def elements(text: str) -> Iterator[str]:
    """Value slices of an array."""
    at = _blanks(text, _blanks(text, 0) + 1)
    while text[at] != "]":
        end = _value_end(text, at)
        yield text[at:end]
        at = _blanks(text, end)
        if text[at] == ",":
            at = _blanks(text, at + 1)


def field(text: str, key: str) -> str | None:
    """The value of a key (the last one, where json repeats it), None when there is none."""
    found = None
    if text[_blanks(text, 0)] == "{":
        for name, value in members(text):
            if name == key:
                found = value
    return found


def element(text: str, index: int) -> str | None:
    """The value at a place of an array, counted from the end when negative."""
    if text[_blanks(text, 0)] != "[":
        return None
    values = list(elements(text))
    return values[index] if -len(values) <= index < len(values) else None


def as_text(value: str | None) -> str | None:
    """What ->> makes of a value slice: strings lose their quotes, null is NULL."""
    if value is None or value == "null":
        return None
    return scanstring(value, 1)[0] if value.startswith('"') else value


_ESCAPED = re.compile(r'[\x00-\x1f"\\]')
_SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


def quote(text: str) -> str:
    """A JSON string."""
    return '"' + _ESCAPED.sub(lambda m: _SHORT.get(m[0]) or f"\\u{ord(m[0]):04x}", text) + '"'


def dumps(value: Any) -> str:
    """A value of loads as text, in jsonb's spacing."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return quote(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quote(key)}: {dumps(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(dumps(item) for item in value) + "]"
