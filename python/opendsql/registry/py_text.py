# ruff: noqa: D103  (what each function does is PostgreSQL's manual's to say)
"""Functions of text that are Python: format, quote_ident, hashes, encodings, Unicode forms."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from opendsql.errors import DsqlError
from opendsql.registry.pgtext import bool_text, format_array, invalid
from opendsql.registry.pyfunctions import pyfunction

# Keywords that cannot be bare identifiers everywhere (PostgreSQL 16's, all but the unreserved, and DSQL's ASYNC).
QUOTED_KEYWORDS = frozenset(
    """
    all analyse analyze and any array as asc asymmetric async authorization between bigint binary bit boolean both
    case cast char character check coalesce collate collation column concurrently constraint create cross
    current_catalog current_date current_role current_schema current_time current_timestamp current_user dec decimal
    default deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from
    full grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is
    isnull join json_array json_arrayagg json_object json_objectagg lateral leading least left like limit localtime
    localtimestamp national natural nchar none normalize not notnull null nullif numeric offset on only or order out
    outer overlaps overlay placing position precision primary real references returning right row select
    session_user setof similar smallint some substring symmetric system_user table tablesample then time timestamp
    to trailing treat trim true union unique user using values varchar variadic verbose when where window with
    xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize
    xmltable
    """.split()
)
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")


@pyfunction()
def quote_ident(name: str) -> str:
    """A name as SQL must spell it."""
    if _PLAIN.match(name) and name not in QUOTED_KEYWORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """A string constant, with E'' when it has backslashes."""
    quoted = "'" + text.replace("'", "''").replace("\\", "\\\\") + "'"
    return "E" + quoted if "\\" in text else quoted


_SPECIFIER = re.compile(r"%(?:(\d+)\$)?(-)?(?:(\d+)|\*(?:(\d+)\$)?)?(.)?", re.DOTALL)


class _Formatter:
    """State of one format() call: the arguments and which is next."""

    def __init__(self, arguments: tuple[str | None, ...]) -> None:
        self.arguments = arguments
        self.next = 0

    def take(self, position: str | None) -> str | None:
        index = int(position) - 1 if position else self.next
        if position and index < 0:
            raise invalid("format specifies argument 0, but arguments are numbered from 1")
        self.next = index + 1
        if index >= len(self.arguments):
            raise invalid("too few arguments for format()")
        return self.arguments[index]

    def piece(self, match: re.Match[str]) -> str:
        position, minus, width, width_position, kind = match.groups()
        if kind is None:
            raise invalid("unterminated format() type specifier", hint='For a single "%" use "%%".')
        if kind == "%":
            return "%"
        if "*" in match[0]:
            given = self.take(width_position)
            width = given or "0"
            if not re.fullmatch(r"\s*[+-]?\d+\s*", width):
                raise DsqlError("22P02", f'invalid input syntax for type integer: "{width}"')
            if width.startswith("-"):
                minus, width = "-", width[1:]
        if kind not in "sIL":
            raise invalid(
                f'unrecognized format() type specifier "{kind}"', hint='For a single "%" use "%%".'
            )
        value = self.take(position)
        if kind == "s":
            text = value or ""
        elif kind == "L":
            text = "NULL" if value is None else quote_literal(value)
        else:
            if value is None:
                raise DsqlError("22004", "null values cannot be formatted as an SQL identifier")
            text = quote_ident(value) or ""
        size = int(width or 0)
        return text.ljust(size) if minus else text.rjust(size)


@pyfunction("format", strict=False)
def format_text(template: str | None, *arguments: str | None) -> str | None:
    if template is None:
        return None
    return _SPECIFIER.sub(_Formatter(arguments).piece, template)


# --- bytes -----------------------------------------------------------------------------------------------------------


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:]) if text.startswith("\\x") else text.encode()


def _bytea(data: bytes) -> str:
    return "\\x" + data.hex()


@pyfunction()
def sha224(data: str) -> str:
    return _bytea(hashlib.sha224(_bytes(data)).digest())


@pyfunction()
def sha256(data: str) -> str:
    return _bytea(hashlib.sha256(_bytes(data)).digest())


@pyfunction()
def sha384(data: str) -> str:
    return _bytea(hashlib.sha384(_bytes(data)).digest())


@pyfunction()
def sha512(data: str) -> str:
    return _bytea(hashlib.sha512(_bytes(data)).digest())


_ENCODINGS = {
    "utf8": "utf-8", "unicode": "utf-8", "latin1": "latin-1", "iso88591": "latin-1", "sqlascii": "utf-8",
    "latin2": "iso8859-2", "latin9": "iso8859-15", "win1252": "cp1252", "win1250": "cp1250", "win1251": "cp1251",
    "koi8r": "koi8-r", "eucjp": "euc-jp", "sjis": "shift_jis", "gbk": "gbk", "big5": "big5", "euckr": "euc-kr",
    "windows1252": "cp1252", "iso885915": "iso8859-15",
}  # fmt: skip


def _codec(name: str, what: str) -> str:
    codec = _ENCODINGS.get(re.sub(r"[^a-z0-9]", "", name.lower()))
    if codec is None:
        raise invalid(f'invalid {what} encoding name "{name}"')
    return codec


@pyfunction()
def convert_from(data: str, encoding: str) -> str:
    codec = _codec(encoding, "source")
    if b"\x00" in _bytes(data):
        raise DsqlError("22021", f'invalid byte sequence for encoding "{encoding.upper()}": 0x00')
    try:
        text = _bytes(data).decode(codec)
    except UnicodeDecodeError as error:
        shown = " ".join(f"0x{byte:02x}" for byte in error.object[error.start : error.end])
        raise DsqlError("22021", f'invalid byte sequence for encoding "{encoding.upper()}": {shown}') from None
    return text


@pyfunction()
def convert_to(text: str, encoding: str) -> str:
    codec = _codec(encoding, "destination")
    try:
        return _bytea(text.encode(codec))
    except UnicodeEncodeError as error:
        shown = " ".join(f"0x{byte:02x}" for byte in text[error.start : error.start + 1].encode())
        raise DsqlError(
            "22P05",
            f'character with byte sequence {shown} in encoding "UTF8" has no equivalent in encoding'
            f' "{encoding.upper()}"',
        ) from None


@pyfunction()
def length_in_encoding(data: str, encoding: str) -> str:
    return str(len(convert_from(data, encoding) or ""))


# --- Unicode ---------------------------------------------------------------------------------------------------------


def _form(name: str) -> str:
    if name.upper() not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise invalid(f"invalid normalization form: {name}")
    return name.upper()


@pyfunction()
def normalize(text: str, form: str = "NFC") -> str:
    return unicodedata.normalize(_form(form), text)  # type: ignore[arg-type]


@pyfunction()
def is_normalized(text: str, form: str = "NFC") -> str:
    return bool_text(unicodedata.is_normalized(_form(form), text))  # type: ignore[arg-type]


_UNICODE_ESCAPE = re.compile(r"\\(?:\\|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|\+([0-9A-Fa-f]{6})|([0-9A-Fa-f]{4})|)")


@pyfunction()
def unistr(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        digits = next((group for group in match.groups() if group), None)
        if digits is None:
            if match[0] == "\\\\":
                return "\\"
            raise DsqlError(
                "42601",
                "invalid Unicode escape",
                hint="Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.",
            )
        code = int(digits, 16)
        if code == 0 or code > 0x10FFFF:
            raise DsqlError("42601", f"invalid Unicode code point: {code:04X}")
        return chr(code)

    out = _UNICODE_ESCAPE.sub(replace, text)
    try:
        return out.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise DsqlError("42601", "invalid Unicode surrogate pair") from None


@pyfunction()
def parse_ident(text: str, strict: str = "t") -> str:
    """The parts of a possibly qualified identifier."""
    parts = []
    rest = text.strip()
    while True:
        match = re.match(r'"((?:[^"]|"")*)"|([A-Za-z_\u0080-\U0010ffff][\w$]*)', rest, re.ASCII)
        if match is None:
            raise invalid(f'string is not a valid identifier: "{text}"')
        if match[1] == "":
            raise invalid(f'string is not a valid identifier: "{text}"', detail="Quoted identifier must not be empty.")
        parts.append(match[1].replace('""', '"') if match[1] is not None else match[2].lower())
        rest = rest[match.end() :].lstrip()
        if not rest.startswith("."):
            break
        rest = rest[1:].lstrip()
    if rest and strict == "t":
        raise invalid(f'string is not a valid identifier: "{text}"')
    return format_array(parts)
