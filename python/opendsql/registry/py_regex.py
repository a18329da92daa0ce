# ruff: noqa: D103  (what each function does is PostgreSQL's manual's to say)
"""Regular expressions: PostgreSQL's advanced ones over Python's re.

A pattern is translated once and cached: bracket classes ([[:alpha:]]), word boundaries (\\m \\M \\y \\Y), anchors (^ and
$ are the text's ends unless the n flag), embedded options and the *** directors. Classes are ASCII (C collation).
Known difference: alternatives are tried in order, where PostgreSQL prefers the longest overall match.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from opendsql.errors import DsqlError
from opendsql.registry.pgtext import bool_text, format_array, invalid
from opendsql.registry.pyfunctions import pyfunction

_CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": " \\t\\n\\r\\f\\v",
    "blank": " \\t", "punct": "!-/:-@\\[-`{-~", "xdigit": "0-9A-Fa-f", "cntrl": "\\x00-\\x1f\\x7f", "print": " -~",
    "graph": "!-~", "word": "a-zA-Z0-9_",
}  # fmt: skip

_FAULTS = (
    ("unterminated subpattern", "parentheses () not balanced"),
    ("unbalanced parenthesis", "parentheses () not balanced"),
    ("unterminated character set", "brackets [] not balanced"),
    ("nothing to repeat", "quantifier operand invalid"),
    ("multiple repeat", "quantifier operand invalid"),
    ("bad character range", "invalid character range"),
    ("invalid group reference", "invalid backreference number"),
    ("min repeat greater than max repeat", "invalid repetition count(s)"),
)


def _bad(text: str) -> DsqlError:
    return DsqlError("2201B", f"invalid regular expression: {text}")


class _Translator:
    """One pass over a pattern."""

    def __init__(self, pattern: str, newline: bool, expanded: bool) -> None:
        self.pattern = pattern
        self.newline = newline
        self.expanded = expanded
        self.at = 0
        self.out: list[str] = []

    def run(self) -> str:
        while self.at < len(self.pattern):
            c = self.pattern[self.at]
            if c == "\\":
                self._escape()
            elif c == "[":
                self._bracket()
            elif c == "^":
                self._put("^" if self.newline else "\\A")
            elif c == "$":
                self._put("$" if self.newline else "\\Z")
            elif c == "(" and self.pattern.startswith("(?#", self.at):
                end = self.pattern.find(")", self.at)
                self.at = len(self.pattern) if end < 0 else end + 1
            elif self.expanded and c == "#":
                end = self.pattern.find("\n", self.at)
                self.at = len(self.pattern) if end < 0 else end + 1
            elif self.expanded and c.isspace():
                self.at += 1
            elif c == "{" and not (self.at + 1 < len(self.pattern) and self.pattern[self.at + 1].isdigit()):
                self._put("\\{")
            else:
                self._put(c)
        return "".join(self.out)

    def _put(self, text: str) -> None:
        self.out.append(text)
        self.at += 1

    def _escape(self) -> None:
        if self.at + 1 >= len(self.pattern):
            raise _bad("invalid escape \\ sequence")
        c = self.pattern[self.at + 1]
        self.at += 2
        simple = {
            "m": r"\b(?=\w)", "M": r"\b(?<=\w)", "y": r"\b", "Y": r"\B", "A": r"\A", "Z": r"\Z", "a": r"\x07",
            "b": r"\x08", "B": r"\\", "e": r"\x1b", "f": r"\f", "n": r"\n", "r": r"\r", "t": r"\t", "v": r"\v",
            "0": r"\x00", "d": "[0-9]", "D": "[^0-9]", "s": r"\s", "S": r"\S", "w": r"\w", "W": r"\W",
        }  # fmt: skip
        if c in simple:
            self.out.append(simple[c])
        elif c in "123456789":
            self.out.append(f"(?:\\{c})")
        elif c in "xuU":
            self.out.append(re.escape(chr(self._hex(c))))
        elif c == "c":
            self.out.append(re.escape(chr(ord(self.pattern[self.at]) & 31)))
            self.at += 1
        elif c.isalnum():
            raise _bad("invalid escape \\ sequence")
        else:
            self.out.append(re.escape(c))

    def _hex(self, kind: str) -> int:
        size = {"x": 255, "u": 4, "U": 8}[kind]
        start = self.at
        while self.at < len(self.pattern) and self.at - start < size and self.pattern[self.at] in "0123456789abcdefABCDEF":
            self.at += 1
        if start == self.at:
            raise _bad("invalid escape \\ sequence")
        return int(self.pattern[start : self.at], 16)

    def _bracket(self) -> None:
        self.at += 1
        out = ["["]
        if self.pattern.startswith("^", self.at):
            out.append("^")
            self.at += 1
            if self.newline:
                out.append("\\n")
        if self.pattern.startswith("]", self.at):
            out.append("\\]")
            self.at += 1
        while True:
            if self.at >= len(self.pattern):
                raise _bad("brackets [] not balanced")
            c = self.pattern[self.at]
            if c == "]":
                break
            if c == "[" and self.at + 1 < len(self.pattern) and self.pattern[self.at + 1] in ":.=":
                out.append(self._named(self.pattern[self.at + 1]))
            elif c == "\\":
                out.append(self._bracket_escape())
            else:
                out.append("\\" + c if c in "[&~|^" else c)
                self.at += 1
        self.at += 1
        self.out.append("".join(out) + "]")

    def _named(self, mark: str) -> str:
        end = self.pattern.find(mark + "]", self.at + 2)
        if end < 0:
            raise _bad("brackets [] not balanced")
        name = self.pattern[self.at + 2 : end]
        self.at = end + 2
        if mark == ":":
            if name not in _CLASSES:
                raise _bad("invalid character class")
            return _CLASSES[name]
        if len(name) != 1:
            raise _bad("invalid collating element")
        return re.escape(name)

    def _bracket_escape(self) -> str:
        c = self.pattern[self.at + 1] if self.at + 1 < len(self.pattern) else ""
        self.at += 2
        if c in "dsw" and c:
            return {"d": "0-9", "s": "\\s", "w": "\\w"}[c]
        if c in "nrtfv" and c:
            return "\\" + c
        if c in "xuU" and c:
            return re.escape(chr(self._hex(c)))
        return re.escape(c) if c else "\\\\"


@functools.lru_cache(maxsize=512)
def compiled(pattern: str, flags: str = "", *, anchored: bool = False) -> re.Pattern[str]:
    """The Python pattern for an ARE and its option letters (g is the caller's)."""
    options = re.ASCII
    newline = expanded = quoted = False
    if pattern.startswith("***="):
        pattern, quoted = pattern[4:], True
    elif pattern.startswith("***:"):
        pattern = pattern[4:]
    embedded = re.match(r"\(\?([bceimnpqstwx]+)\)", pattern) if not quoted else None
    if embedded:
        flags += embedded[1]
        pattern = pattern[embedded.end() :]
    for letter in flags:
        if letter == "i":
            options |= re.IGNORECASE
        elif letter == "c":
            options &= ~re.IGNORECASE
        elif letter in "nm":
            newline = True
        elif letter == "s":
            newline = False
        elif letter == "x":
            expanded = True
        elif letter == "t":
            expanded = False
        elif letter == "q":
            quoted = True
        elif letter not in "epwb":
            raise invalid(f'invalid regular expression option: "{letter}"')
    try:
        text = re.escape(pattern) if quoted else _Translator(pattern, newline, expanded).run()
    except RecursionError:
        raise _bad("regular expression is too complex") from None
    options |= re.MULTILINE if newline else re.DOTALL
    if anchored:
        text = rf"\A(?:{text})\Z"
    try:
        return re.compile(text, options)
    except RecursionError:
        raise _bad("regular expression is too complex") from None
    except (re.error, OverflowError) as error:
        for needle, wording in _FAULTS:
            if needle in str(error):
                raise _bad(wording) from None
        raise _bad("invalid escape \\ sequence") from None


# --- operators -------------------------------------------------------------------------------------------------------


@pyfunction("textregexeq", "nameregexeq")
def matches(text: str, pattern: str) -> str:
    return bool_text(compiled(pattern).search(text))


@pyfunction("textregexne", "nameregexne")
def does_not_match(text: str, pattern: str) -> str:
    return bool_text(not compiled(pattern).search(text))


@pyfunction("texticregexeq", "nameicregexeq")
def matches_any_case(text: str, pattern: str) -> str:
    return bool_text(compiled(pattern, "i").search(text))


@pyfunction("texticregexne", "nameicregexne")
def does_not_match_any_case(text: str, pattern: str) -> str:
    return bool_text(not compiled(pattern, "i").search(text))


# --- functions -------------------------------------------------------------------------------------------------------


def _without_global(flags: str, function: str) -> str:
    if "g" in flags:
        raise invalid(f'{function}() does not support the "global" option')
    return flags


def _start(start: str) -> int:
    if int(start) <= 0:
        raise invalid(f'invalid value for parameter "start": {start}')
    return int(start) - 1


def _found(text: str, pattern: str, flags: str, start: int = 0) -> Iterator[re.Match[str]]:
    # Matches from a place on; none when that lies beyond the end.
    expression = compiled(pattern, flags)
    return expression.finditer(text, start) if start <= len(text) else iter(())


def _group(match: re.Match[str], number: int) -> int | None:
    # Group 1 of a pattern without groups is the whole match.
    if match.re.groups == 0 and number == 1:
        return 0
    return number if number <= match.re.groups else None


def _groups(match: re.Match[str]) -> list[str | None]:
    return list(match.groups()) if match.re.groups else [match[0]]


@pyfunction()
def regexp_like(text: str, pattern: str, flags: str = "") -> str:
    return bool_text(compiled(pattern, _without_global(flags, "regexp_like")).search(text))


@pyfunction()
def regexp_match(text: str, pattern: str, flags: str = "") -> str | None:
    if "g" in flags:
        raise invalid(
            'regexp_match() does not support the "global" option', hint="Use the regexp_matches function instead."
        )
    match = compiled(pattern, flags).search(text)
    return format_array(_groups(match)) if match else None


def regexp_matches(text: str, pattern: str, flags: str = "") -> list[str]:
    """Rows of the set-returning function."""
    found = compiled(pattern, flags.replace("g", "")).finditer(text)
    rows = [format_array(_groups(match)) for match in found]
    return rows if "g" in flags else rows[:1]


@pyfunction()
def regexp_count(text: str, pattern: str, start: str = "1", flags: str = "") -> str:
    found = _found(text, pattern, _without_global(flags, "regexp_count"), _start(start))
    return str(sum(1 for _ in found))


def _nth(text: str, pattern: str, start: str, number: str, flags: str, function: str) -> re.Match[str] | None:
    if int(number) <= 0:
        raise invalid(f'invalid value for parameter "n": {number}')
    for count, match in enumerate(_found(text, pattern, _without_global(flags, function), _start(start)), start=1):
        if count == int(number):
            return match
    return None


@pyfunction()
def regexp_instr(
    text: str, pattern: str, start: str = "1", number: str = "1", end: str = "0", flags: str = "", group: str = "0"
) -> str:
    if int(end) not in (0, 1):
        raise invalid(f'invalid value for parameter "endoption": {end}')
    if int(group) < 0:
        raise invalid(f'invalid value for parameter "subexpr": {group}')
    match = _nth(text, pattern, start, number, flags, "regexp_instr")
    place = None if match is None else _group(match, int(group))
    if match is None or place is None or match.start(place) < 0:
        return "0"
    return str((match.end(place) if end == "1" else match.start(place)) + 1)


@pyfunction()
def regexp_substr(
    text: str, pattern: str, start: str = "1", number: str = "1", flags: str = "", group: str = "0"
) -> str | None:
    if int(group) < 0:
        raise invalid(f'invalid value for parameter "subexpr": {group}')
    match = _nth(text, pattern, start, number, flags, "regexp_substr")
    place = None if match is None else _group(match, int(group))
    return None if match is None or place is None else match[place]


@functools.lru_cache(maxsize=256)
def _replacement(text: str) -> tuple[str | int, ...]:
    # Literal pieces and group numbers.
    parts: list[str | int] = []
    at = 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            c = text[at + 1]
            parts.append(int(c) if c.isdigit() and c != "0" else 0 if c == "&" else "\\" if c == "\\" else "\\" + c)
            at += 2
        else:
            parts.append(text[at])
            at += 1
    return tuple(parts)


def _expand(match: re.Match[str], parts: tuple[str | int, ...]) -> str:
    out = []
    for part in parts:
        if isinstance(part, str):
            out.append(part)
        elif part <= match.re.groups:
            out.append(match[part] or "")
    return "".join(out)


def _replace(text: str, pattern: str, replacement: str, start: int, number: int, flags: str) -> str:
    # number 0: every match from start on.
    parts = _replacement(replacement)
    out: list[str] = []
    last = 0
    for count, match in enumerate(_found(text, pattern, flags, start), start=1):
        if number in (0, count):
            out += (text[last : match.start()], _expand(match, parts))
            last = match.end()
            if number:
                break
    return "".join(out) + text[last:]


@pyfunction()
def regexp_replace(text: str, pattern: str, replacement: str, flags: str = "") -> str:
    if flags[:1].isdigit():
        raise invalid(
            f'invalid regular expression option: "{flags[0]}"',
            hint="If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer"
            " explicitly.",
        )
    return _replace(text, pattern, replacement, 0, 0 if "g" in flags else 1, flags.replace("g", ""))


@pyfunction()
def regexp_replace_from(
    text: str, pattern: str, replacement: str, start: str, number: str | None = None, flags: str = ""
) -> str:
    if number is not None and int(number) < 0:
        raise invalid(f'invalid value for parameter "n": {number}')
    which = int(number) if number is not None else 0 if "g" in flags else 1
    return _replace(text, pattern, replacement, _start(start), which, flags.replace("g", ""))


def split(text: str, pattern: str, flags: str = "", function: str = "regexp_split_to_array") -> list[str]:
    """Pieces between matches; empty matches at the ends do not split."""
    pieces = []
    last = 0
    for match in compiled(pattern, _without_global(flags, function)).finditer(text):
        if match.end() == match.start() and (match.start() == last or match.start() >= len(text)):
            continue
        pieces.append(text[last : match.start()])
        last = match.end()
    pieces.append(text[last:])
    return pieces


@pyfunction()
def regexp_split_to_array(text: str, pattern: str, flags: str = "") -> str:
    return format_array(split(text, pattern, flags))


@pyfunction("textregexsubstr")
def substring_regex(text: str, pattern: str) -> str | None:
    match = compiled(pattern).search(text)
    if match is None:
        return None
    return match[1] if match.re.groups else match[0]


# --- SIMILAR TO ------------------------------------------------------------------------------------------------------


def similar_pattern(pattern: str, escape: str | None = "\\") -> str:
    """The ARE for a SIMILAR TO pattern (what similar_to_escape returns)."""
    if escape is not None and len(escape) > 1:
        raise DsqlError("22025", "invalid escape string", hint="Escape string must be empty or one character.")
    out = ["^(?:"]
    at = 0
    in_bracket = False
    separators = 0
    while at < len(pattern):
        c = pattern[at]
        at += 1
        if escape and c == escape and not in_bracket:
            if at >= len(pattern):
                out.append("\\\\" if False else "")
                break
            c = pattern[at]
            at += 1
            if c == '"':
                # <escape>"part<escape>": the part SUBSTRING returns.
                separators += 1
                if separators > 2:
                    raise DsqlError("2200C", "SQL regular expression may not contain more than two escape-double-quote"
                                    " separators")  # fmt: skip
                out.append("){1,1}?(" if separators == 1 else "){1,1}(?:")
            else:
                out.append("\\" + c)
        elif in_bracket:
            out.append("\\\\" if c == "\\" else c)
            in_bracket = c != "]"
        elif c == "[":
            out.append(c)
            in_bracket = True
        elif c == "%":
            out.append(".*")
        elif c == "_":
            out.append(".")
        elif c == "(":
            out.append("(?:")
        elif c in "\\.^$":
            out.append("\\" + c)
        else:
            out.append(c)
    return "".join(out) + ")$"


@pyfunction()
def similar_to_escape(pattern: str, escape: str = "\\") -> str:
    return similar_pattern(pattern, escape)


@pyfunction(strict=False)
def similar_escape(pattern: str | None, escape: str | None) -> str | None:
    return None if pattern is None else similar_pattern(pattern, "\\" if escape is None else escape)


@pyfunction()
def substring_similar(text: str, pattern: str, escape: str) -> str | None:
    """SUBSTRING(text SIMILAR pattern ESCAPE escape)."""
    return substring_regex(text, similar_pattern(pattern, escape))
