"""Text to parse trees: PostgreSQL's grammar, plus the words DSQL added to it.

PostgreSQL's own grammar (pgparse, libpg_query) reads every statement. DSQL adds three forms it does not know. They are
blanked out before parsing, byte for byte, so that every location in the tree is a location in the text the client sent:

    CREATE [UNIQUE] INDEX ASYNC ...                  IndexStmt      with "async": True
    ALTER TABLE ASYNC t VALIDATE CONSTRAINT c        AlterTableStmt with "async": True
    AWS IAM GRANT role TO 'arn'                      AwsIamGrantStmt  {"role", "arn", "location"}
    AWS IAM REVOKE role FROM 'arn'                   AwsIamRevokeStmt {"role", "arn", "location"}

ASYNC is a reserved word in DSQL: an unquoted identifier of that name is a syntax error, except where PostgreSQL takes
any reserved word: after AS, after a dot, and as an output label without AS. For the last, another reserved word that may be
such a label and begins nothing else stands in for it while the text is parsed.

Invariants
  P1  locations in trees are byte offsets into the UTF-8 form of Statement.text; positions in errors are 1-based characters.
  P2  parse() never changes the length of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pgparse

from opendsql.errors import DsqlError
from opendsql.query.depth import too_deep

Node = dict[str, Any]

_TOKEN = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|/\*(?:[^*/]|\*(?!/)|/(?!\*))*\*/)
      | (?P<estring>[eE]'(?:[^'\\]|''|\\.)*')
      | (?P<string>'(?:[^']|'')*')
      | (?P<dollar>(?P<tag>\$(?:[A-Za-z_\x80-\U0010ffff][\w]*)?\$).*?(?P=tag))
      | (?P<quoted>"(?:[^"]|"")*")
      | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$]*)
      | (?P<other>.)""",
    re.X | re.S,
)
_STAND_INS = ("both ", "then ", "else ", "desc ")  # five characters each, as ASYNC has

# Errors of the grammar's actions that are no syntax errors, with the SQLSTATEs gram.y gives them.
_ACTION_ERRORS = tuple(
    (re.compile(pattern), state)
    for pattern, state in (
        (r"(not yet implemented|not supported|not implemented|cannot include schema elements)$", "0A000"),
        (r" cannot be marked ", "0A000"),
        (r"^frame ((start|end) cannot be|starting from)", "42P20"),
        (r"^role name .* is reserved$|cannot be used as a role name here$", "42939"),
        (r"^precision for type float must be", "22023"),
        (r"^invalid (Unicode|escape)", "22025"),
    )
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a query string."""

    kind: str  # name of the parse node, e.g. SelectStmt
    node: Node  # its fields
    text: str  # the whole query string the locations refer to
    start: int = 0  # characters, of this statement within text
    end: int = 0

    def position(self, location: int | None) -> int | None:
        """1-based character position of a byte location, None when unknown."""
        return character_position(self.text, location)

    @property
    def own_text(self) -> str:
        """The text of this statement alone."""
        return self.text[self.start : self.end]


def character_position(text: str, location: int | None) -> int | None:
    """1-based character position of a byte offset; None for an unknown (negative) one."""
    if location is None or location < 0:
        return None
    if text.isascii():
        return location + 1
    return len(text.encode()[:location].decode(errors="ignore")) + 1


def parse(text: str) -> list[Statement]:
    """Every statement of a query string; DsqlError 42601 with PostgreSQL's text when it is not valid."""
    if too_deep(text):
        raise DsqlError("54001", "stack depth limit exceeded")
    lowered = text.lower()
    marks: list[tuple[int, str, Any]] = []
    source = text
    if "async" in lowered or "iam" in lowered:
        source, marks = _blank_extensions(text)
    try:
        raw = pgparse.parse(source)
    except pgparse.PGQueryError as error:
        raise _syntax_error(error, source, marks) from None
    for place, what, value in marks:
        if what == "reserved" and source[place : place + 5] not in _STAND_INS:
            raise DsqlError("42601", f'syntax error at or near "{value}"', position=place + 1)
    if any(what == "reserved" for _, what, _ in marks):
        raw = _relabelled(raw, source[next(place for place, what, _ in marks if what == "reserved") :][:5].strip())
    statements = _statements(raw, text)
    return _apply_marks(statements, marks, text)


def _statements(raw: list[Node], text: str) -> list[Statement]:
    """Statements with their extent in characters."""
    ascii_text = text.isascii()
    encoded = b"" if ascii_text else text.encode()

    def characters(offset: int) -> int:
        return offset if ascii_text else len(encoded[:offset].decode(errors="ignore"))

    result = []
    for item in raw:
        if not item.get("stmt"):
            continue
        ((kind, node),) = item["stmt"].items()
        start = characters(item.get("stmt_location", 0))
        size = item.get("stmt_len", 0)
        end = characters(item.get("stmt_location", 0) + size) if size else len(text)
        result.append(Statement(kind, node, text, start, end))
    return result


def _syntax_error(error: pgparse.PGQueryError, source: str, marks: list[tuple[int, str, Any]]) -> DsqlError:
    message = str(error.args[0])
    position = error.args[1] if len(error.args) > 1 and error.args[1] else None
    for place, what, value in marks:
        held = source[place : place + 5] in _STAND_INS
        if what == "reserved" and (position is None or place + 1 == position or (place < position and not held)):
            return DsqlError("42601", f'syntax error at or near "{value}"', position=place + 1)
    sqlstate = next((state for pattern, state in _ACTION_ERRORS if pattern.search(message)), "42601")
    return DsqlError(sqlstate, message, position=position or None)


# --- DSQL's own words ---------------------------------------------------------------------------------------------


def tokens(text: str) -> list[tuple[str, str, int]]:
    """(kind, text, character offset) of every token that is not blank or comment."""
    found = []
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind == "tag":
            kind = "dollar"
        if kind != "skip":
            found.append((kind, match.group(), match.start()))
    return found


def _blank_extensions(text: str) -> tuple[str, list[tuple[int, str, Any]]]:
    """The text with DSQL's words blanked, and what was found where: ('index'|'alter'|'iam'|'reserved', value)."""
    parts = tokens(text)
    marks: list[tuple[int, str, Any]] = []
    blanks: list[tuple[int, int, str]] = []
    first = True
    head: list[str] = []
    index = 0
    lowered_text = text.lower()
    stand_in = next((word for word in _STAND_INS if word.strip() not in lowered_text), "")
    while index < len(parts):
        kind, word, place = parts[index]
        if word == ";" and kind == "other":
            first, head = True, []
            index += 1
            continue
        lowered = word.lower() if kind == "word" else ""
        if first and lowered == "aws":
            end = _iam_statement(parts, index, marks)
            last = parts[end - 1]
            stop = last[2] + len(last[1])
            blanks.append((place, stop, "select 1"))
            index, first = end, False
            continue
        first = False
        if lowered == "async":
            mark = _async_mark(head, parts, index)
            marks.append((place, mark, word))
            if mark in ("index", "alter"):
                blanks.append((place, place + len(word), ""))
            elif mark == "reserved" and stand_in:
                blanks.append((place, place + len(word), stand_in))
        if len(head) < 4:
            head.append(lowered or word)
        index += 1
    source = text
    for start, stop, replacement in blanks:
        source = source[:start] + replacement + " " * (stop - start - len(replacement)) + source[stop:]
    return source, [mark for mark in marks if mark[1] != "plain"]


def _relabelled(node: Any, stand_in: str) -> Any:
    """The tree with the stand-in for ASYNC, which can only be an output label, called async."""
    if isinstance(node, list):
        return [_relabelled(part, stand_in) for part in node]
    if not isinstance(node, dict):
        return node
    target = node.get("ResTarget")
    found = {key: _relabelled(part, stand_in) for key, part in node.items()}
    if isinstance(target, dict) and target.get("name") == stand_in:
        found["ResTarget"]["name"] = "async"
    return found


def _async_mark(head: list[str], parts: list[tuple[str, str, int]], index: int) -> str:
    if head in (["create", "index"], ["create", "unique", "index"]):
        return "index"
    if head == ["alter", "table"]:
        return "alter"
    previous = parts[index - 1] if index else ("", "", 0)
    if previous[1].lower() == "as" or previous[1] == ".":
        return "plain"
    return "reserved"


def _iam_statement(parts: list[tuple[str, str, int]], index: int, marks: list[tuple[int, str, Any]]) -> int:
    """AWS IAM {GRANT role TO | REVOKE role FROM} 'arn'; the index behind it."""
    place = parts[index][2]
    expected: list[tuple[str, ...]] = [("iam",), ("grant", "revoke")]
    at = index + 1
    verb = ""
    for words in expected:
        if at >= len(parts) or parts[at][1].lower() not in words:
            raise _unexpected(parts, at)
        verb = parts[at][1].lower()
        at += 1
    if at >= len(parts) or parts[at][0] not in ("word", "quoted"):
        raise _unexpected(parts, at)
    kind, word, _ = parts[at]
    role = word[1:-1].replace('""', '"') if kind == "quoted" else word.lower()
    at += 1
    if at >= len(parts) or parts[at][1].lower() != ("to" if verb == "grant" else "from"):
        raise _unexpected(parts, at)
    at += 1
    if at >= len(parts) or parts[at][0] != "string":
        raise _unexpected(parts, at)
    arn = parts[at][1][1:-1].replace("''", "'")
    at += 1
    if at < len(parts) and parts[at][1] != ";":
        raise _unexpected(parts, at)
    node = {"role": role, "arn": arn, "location": place}
    marks.append((place, "iam", ("AwsIamGrantStmt" if verb == "grant" else "AwsIamRevokeStmt", node)))
    return at


def _unexpected(parts: list[tuple[str, str, int]], at: int) -> DsqlError:
    if at >= len(parts) or parts[at][1] == ";":
        if at < len(parts):
            return DsqlError("42601", 'syntax error at or near ";"', position=parts[at][2] + 1)
        _, word, place = parts[-1]
        return DsqlError("42601", "syntax error at end of input", position=place + len(word) + 1)
    return DsqlError("42601", f'syntax error at or near "{parts[at][1]}"', position=parts[at][2] + 1)


def _apply_marks(statements: list[Statement], marks: list[tuple[int, str, Any]], text: str) -> list[Statement]:
    result = list(statements)
    for place, what, value in marks:
        for number, statement in enumerate(result):
            if not statement.start <= place < max(statement.end, statement.start + 1):
                continue
            if what == "iam":
                kind, node = value
                result[number] = Statement(kind, node, text, statement.start, statement.end)
            elif what == "index" and statement.kind == "IndexStmt":
                statement.node["async"] = True
            elif what == "alter":
                if statement.kind != "AlterTableStmt":
                    raise DsqlError("42601", f'syntax error at or near "{value}"', position=place + 1)
                statement.node["async"] = True
            break
    return result
