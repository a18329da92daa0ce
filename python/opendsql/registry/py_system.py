# ruff: noqa: D103  (what each function does is PostgreSQL's manual's to say)
"""Functions about types, sizes and encodings that need neither session nor catalog; pg_sleep and timeofday."""

from __future__ import annotations

import re
import time
from decimal import Decimal, InvalidOperation

from opendsql.errors import DsqlError
from opendsql.registry import types
from opendsql.registry.pgtext import invalid
from opendsql.registry.pyfunctions import pyfunction


@pyfunction(strict=False, typed=True)
def pg_typeof(kinds: tuple[int, ...], value: str | None) -> str:
    """The oid of the argument's type: regtype's text is the catalog's business."""
    return str(kinds[0])


@pyfunction(strict=False)
def format_type(oid: str | None, typmod: str | None) -> str | None:
    if oid is None:
        return None
    return types.format_type(int(oid), None if typmod is None else int(typmod))


ENCODINGS = (
    "SQL_ASCII EUC_JP EUC_CN EUC_KR EUC_TW EUC_JIS_2004 UTF8 MULE_INTERNAL LATIN1 LATIN2 LATIN3 LATIN4 LATIN5 LATIN6"
    " LATIN7 LATIN8 LATIN9 LATIN10 WIN1256 WIN1258 WIN866 WIN874 KOI8R WIN1251 WIN1252 ISO_8859_5 ISO_8859_6 ISO_8859_7"
    " ISO_8859_8 WIN1250 WIN1253 WIN1254 WIN1255 WIN1257 KOI8U SJIS BIG5 GBK UHC GB18030 JOHAB SHIFT_JIS_2004"
).split()


@pyfunction()
def pg_encoding_to_char(number: str) -> str:
    return ENCODINGS[int(number)] if 0 <= int(number) < len(ENCODINGS) else ""


@pyfunction()
def system_user() -> None:
    """No operating-system or certificate identity stands behind a session."""
    return None


@pyfunction()
def pg_char_to_encoding(name: str) -> str:
    wanted = re.sub(r"[^a-z0-9]", "", name.lower())
    wanted = {"unicode": "utf8", "iso88591": "latin1"}.get(wanted, wanted)
    names = [re.sub(r"[^a-z0-9]", "", encoding.lower()) for encoding in ENCODINGS]
    return str(names.index(wanted)) if wanted in names else "-1"


@pyfunction(typed=True)
def pg_column_size(kinds: tuple[int, ...], value: str) -> str:
    """Bytes of a value as PostgreSQL would hold it (short varlena header)."""
    length = types.TYPES_BY_OID[kinds[0]].length
    if length > 0:
        return str(length)
    size = (len(value) - 2) // 2 if value.startswith("\\x") and kinds[0] == 17 else len(value.encode())
    if kinds[0] == 1700:
        digits = value.lstrip("-").replace(".", "")
        size = 2 + 2 * ((len(digits) + 3) // 4)
    return str(size + (1 if size < 126 else 4))


# --- sizes -----------------------------------------------------------------------------------------------------------

_UNITS = (("bytes", 0), ("kB", 10), ("MB", 20), ("GB", 30), ("TB", 40), ("PB", 50))


@pyfunction()
def pg_size_pretty(text: str) -> str:
    value = Decimal(text)
    if not value.is_finite():
        return f"{text} bytes"
    if abs(value) < 10240 or value != value.to_integral_value() and abs(value) < 10240:
        return f"{text} bytes"
    size = int(value)
    sign = -1 if size < 0 else 1
    # One extra bit is kept so that the last step rounds half away from zero.
    half = abs(size) >> 9
    for name, _ in _UNITS[1:]:
        if half < 20 * 1024 - 1 or name == "PB":
            return f"{sign * ((half + 1) // 2)} {name}"
        half >>= 10
    raise AssertionError("the last unit takes everything")


@pyfunction()
def pg_size_bytes(text: str) -> str:
    match = re.fullmatch(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z]*)\s*", text)
    if match is None:
        raise invalid(f'invalid size: "{text}"')
    unit = match[2].lower()
    shift = {"": 0, "b": 0, **{name.lower(): bits for name, bits in _UNITS}}.get(unit)
    if shift is None:
        raise invalid(
            f'invalid size: "{text}"',
            detail=f'Invalid size unit: "{match[2]}".',
            hint='Valid units are "bytes", "B", "kB", "MB", "GB", "TB", and "PB".',
        )
    try:
        size = int((Decimal(match[1]) * (1 << shift)).quantize(Decimal(1), rounding="ROUND_HALF_UP"))
    except InvalidOperation:
        raise DsqlError("22003", "bigint out of range") from None
    if not -(2**63) <= size < 2**63:
        raise DsqlError("22003", "bigint out of range")
    return str(size)


# --- time ------------------------------------------------------------------------------------------------------------


@pyfunction()
def pg_sleep(seconds: str) -> str:
    """Waits on the thread that evaluates it."""
    wait = float(seconds)
    if wait > 0:
        time.sleep(min(wait, 86400.0))
    return ""


_SPAN = re.compile(r"(?:(-?\d+) days?)?\s*(?:(-?)(\d+):(\d\d):(\d\d(?:\.\d+)?))?\Z")


@pyfunction()
def pg_sleep_for(span: str) -> str:
    match = _SPAN.search(span)
    if match is None:
        return ""
    seconds = int(match[1] or 0) * 86400 + int(match[3] or 0) * 3600 + int(match[4] or 0) * 60 + float(match[5] or 0)
    return "" if match[2] == "-" else (pg_sleep(str(seconds)) or "")


@pyfunction()
def pg_sleep_until(moment: str) -> str:
    from datetime import datetime

    until = datetime.fromisoformat(re.sub(r"([+-]\d\d)$", r"\1:00", moment))
    return pg_sleep(str(until.timestamp() - time.time())) or ""


@pyfunction()
def timeofday() -> str:
    now = time.time()
    fraction = int(now * 1_000_000) % 1_000_000
    return time.strftime(f"%a %b %d %H:%M:%S.{fraction:06d} %Y UTC", time.gmtime(now))


@pyfunction()
def pg_input_is_valid(text: str, name: str) -> str:
    """Whether a text is a valid value of a type."""
    from dsql_core.types.face import TypeFormatError, normalise

    wanted = types.find_type(name.lower().strip())
    if wanted is None:
        raise DsqlError("42704", f'type "{name}" does not exist')
    try:
        normalise(wanted.oid, text)
    except TypeFormatError:
        return "f"
    return "t"
