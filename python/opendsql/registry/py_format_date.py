# ruff: noqa: D103  (what each function does is PostgreSQL's manual's to say)
"""to_char of dates and intervals, to_date and to_timestamp: templates of the manual's "Data Type Formatting".

A template is split once into fields and literal text; a field is written or read by the entry of its name.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from opendsql.errors import DsqlError
from opendsql.registry import py_format_number
from opendsql.registry.pyfunctions import pyfunction

MONTHS = (
    "January February March April May June July August September October November December".split()
)  # fmt: skip
DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split()
ROMAN = "I II III IV V VI VII VIII IX X XI XII".split()

# Longest first: the first that fits is taken.
_FIELDS = (
    "Y,YYY IYYY YYYY SSSSS SSSS HH24 HH12 IDDD MONTH Month month IYY YYY DDD DAY Day day MON Mon mon TZH TZM A.D. B.C."
    " A.M. P.M. FF1 FF2 FF3 FF4 FF5 FF6 AD AM BC PM CC DD DY Dy dy HH ID IW IY MI MM MS OF RM rm SS TZ tz US WW YY"
    " D I J Q W Y"
).split()
_CASED = {"MONTH", "MON", "DAY", "DY", "RM", "TZ"}
_KEYWORDS: dict[str, str] = {}
for _word in _FIELDS:
    _KEYWORDS[_word] = _word
    if _word.upper() not in _CASED:
        _KEYWORDS[_word.lower()] = _word
_KEYWORDS.update({"a.d.": "a.d.", "b.c.": "b.c.", "a.m.": "a.m.", "p.m.": "p.m.", "ad": "ad", "bc": "bc", "am": "am"})
_KEYWORDS.update({"pm": "pm"})
_ORDERED = sorted(_KEYWORDS, key=len, reverse=True)


@dataclass(frozen=True, slots=True)
class Node:
    """A field of a template, or literal text."""

    field: str  # "" = literal
    text: str = ""
    fill: bool = True  # no FM before it
    ordinal: str = ""  # TH or th
    quoted: bool = False


@functools.lru_cache(maxsize=256)
def parse_template(template: str) -> tuple[tuple[Node, ...], bool]:
    """Nodes of a template, and whether it asked for exact matching (FX)."""
    nodes: list[Node] = []
    exact = False
    at = 0
    while at < len(template):
        fill = True
        while True:
            head = template[at : at + 2].upper()
            if head == "FM":
                fill = False
            elif head == "FX":
                exact = True
            elif head == "TM":
                fill = False
            else:
                break
            at += 2
        word = next((word for word in _ORDERED if template.startswith(word, at)), None)
        if word is not None:
            at += len(word)
            ordinal = ""
            if template[at : at + 2] in ("TH", "th"):
                ordinal = template[at : at + 2]
                at += 2
            elif template[at : at + 2] in ("SP", "sp"):
                at += 2
            nodes.append(Node(_KEYWORDS[word], word, fill, ordinal))
        elif at < len(template):
            if template[at] == '"':
                end = at + 1
                text = []
                while end < len(template) and template[end] != '"':
                    end += template[end] == "\\"
                    text.append(template[end : end + 1])
                    end += 1
                nodes.extend(Node("", c, quoted=True) for c in text)
                at = end + 1
            elif template[at] == "\\" and at + 1 < len(template):
                nodes.append(Node("", template[at + 1], quoted=True))
                at += 2
            else:
                nodes.append(Node("", template[at]))
                at += 1
    return tuple(nodes), exact


# --- the moment ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Moment:
    """Fields of a timestamp or an interval."""

    year: int = 0  # astronomical
    month: int = 1
    day: int = 1
    hour: int = 0
    minute: int = 0
    second: int = 0
    us: int = 0
    offset: int = 0  # seconds east
    is_interval: bool = False
    zoned: bool = False

    @property
    def days(self) -> int:
        """Days since 2000-01-01."""
        return days_of(self.year, self.month, self.day)


def days_of(year: int, month: int, day: int) -> int:
    """Days since 2000-01-01 of a proleptic Gregorian date."""
    y = year - (month <= 2)
    era = y // 400
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    year_of_era = y - era * 400
    return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 730425


def date_of(days: int) -> tuple[int, int, int]:
    """Year, month and day of days_of."""
    z = days + 730425
    era = z // 146097
    day_of_era = z - era * 146097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def iso_start(year: int) -> int:
    """Day of the Monday of week 1."""
    fourth = days_of(year, 1, 4)
    return fourth - (fourth - 2) % 7


def iso_week(days: int) -> tuple[int, int]:
    """ISO year and week."""
    year = date_of(days)[0]
    if days < iso_start(year):
        year -= 1
    elif days >= iso_start(year + 1):
        year += 1
    return year, (days - iso_start(year)) // 7 + 1


_TIMESTAMP = re.compile(
    r"(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?\Z"
)
_INTERVAL_PART = re.compile(r"(-?\+?\d+) (year|mon|day)s?")
_INTERVAL_TIME = re.compile(r"([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?\Z")


def read_timestamp(text: str) -> Moment | None:
    """The moment a timestamp's ISO text says, None for infinity."""
    match = _TIMESTAMP.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
    offset = (int(match[9] or 0) * 60 + int(match[10] or 0)) * 60 + int(match[11] or 0)
    return Moment(
        1 - year if match[12] else year, month, day, hour, minute, second, int((match[7] or "").ljust(6, "0")),
        -offset if match[8] == "-" else offset, zoned=match[8] is not None,
    )  # fmt: skip


def read_interval(text: str) -> Moment:
    """The fields of an interval's postgres-style text."""
    moment = Moment(month=0, day=0, is_interval=True)
    for count, unit in _INTERVAL_PART.findall(text):
        setattr(moment, {"year": "year", "mon": "month", "day": "day"}[unit], int(count))
    match = _INTERVAL_TIME.search(text)
    if match:
        sign = -1 if match[1] == "-" else 1
        moment.hour, moment.minute, moment.second = (sign * int(match[n]) for n in (2, 3, 4))
        moment.us = sign * int((match[5] or "").ljust(6, "0"))
    return moment


# --- writing ---------------------------------------------------------------------------------------------------------


def _ordinal(number: str, form: str) -> str:
    last = number[-1]
    if len(number) > 1 and number[-2] == "1":
        last = "0"
    ending = {"1": "st", "2": "nd", "3": "rd"}.get(last, "th")
    return ending.upper() if form == "TH" else ending


def _like(pattern: str, word: str) -> str:
    # MONTH upper, Month capital, month lower.
    return word.upper() if pattern.isupper() else word.lower() if pattern.islower() else word


def _number(value: int, width: int, node: Node) -> str:
    text = f"{value:0{width + (value < 0)}d}" if node.fill else str(value)
    return text + (_ordinal(text, node.ordinal) if node.ordinal else "")


def _calendar_only(moment: Moment) -> None:
    if moment.is_interval:
        raise DsqlError(
            "22007",
            "invalid format specification for an interval value",
            hint="Intervals are not tied to specific calendar dates.",
        )


def _shown_year(moment: Moment) -> int:
    return moment.year if moment.is_interval or moment.year > 0 else 1 - moment.year


def _write_date(node: Node, m: Moment) -> str | None:
    field = node.field
    upper = field.upper()
    if upper in ("MONTH", "MON", "RM"):
        if upper != "RM":
            _calendar_only(m)
        if not m.month:
            return ""
        if upper == "RM":
            text = ROMAN[m.month - 1] if m.month > 0 else ROMAN[12 + m.month]
            return (_like(node.text, text)).ljust(4 if node.fill else 0)
        word = _like(node.text, MONTHS[m.month - 1])
        return word[:3] if upper == "MON" else word.ljust(9 if node.fill else 0)
    if upper in ("DAY", "DY"):
        _calendar_only(m)
        word = _like(node.text, DAYS[(m.days + 6) % 7])
        return word[:3] if upper == "DY" else word.ljust(9 if node.fill else 0)
    if field == "MM":
        return _number(m.month, 2, node)
    if field == "DD":
        return _number(m.day, 2 if m.day >= 0 else 1, node)
    if field == "DDD":
        days = (m.year * 12 + m.month) * 30 + m.day if m.is_interval else m.days - days_of(m.year, 1, 1) + 1
        return _number(days, 3, node)
    if field == "IDDD":
        _calendar_only(m)
        return _number(m.days - iso_start(iso_week(m.days)[0]) + 1, 3, node)
    if field == "D":
        _calendar_only(m)
        return _number((m.days + 6) % 7 + 1, 1, node)
    if field == "ID":
        _calendar_only(m)
        return _number((m.days + 5) % 7 + 1, 1, node)
    if field == "W":
        return _number((m.day - 1) // 7 + 1, 1, node)
    if field == "WW":
        days = m.month * 30 + m.day if m.is_interval else m.days - days_of(m.year, 1, 1) + 1
        return _number((days - 1) // 7 + 1, 2, node)
    if field == "IW":
        _calendar_only(m)
        return _number(iso_week(m.days)[1], 2, node)
    if field == "Q":
        return _number((m.month - 1) // 3 + 1, 1, node) if m.month else ""
    if field == "J":
        return _number(m.days + 2451545, 1, node)
    return None


def _write_year(node: Node, m: Moment) -> str | None:
    field = node.field
    if field == "CC":
        if m.is_interval:
            century = m.year // 100
        elif m.year > 0:
            century = (m.year - 1) // 100 + 1
        else:
            century = m.year // 100 - 1
        if -99 <= century <= 99:
            return _number(century, 2, node)
        return str(century) + (_ordinal(str(century), node.ordinal) if node.ordinal else "")
    if field in ("YYYY", "IYYY", "YYY", "IYY", "YY", "IY", "Y", "I"):
        year = _shown_year(m)
        if field.startswith("I"):
            iso = iso_week(m.days)[0] if not m.is_interval else m.year
            year = iso if m.is_interval or iso > 0 else 1 - iso
        width = len(field) if not field.startswith("I") else len(field) if field == "IYYY" else len(field)
        width = {"YYYY": 4, "IYYY": 4, "YYY": 3, "IYY": 3, "YY": 2, "IY": 2}.get(field, 1)
        return _number(year if width == 4 else year % 10**width, width, node)
    if field == "Y,YYY":
        year = _shown_year(m)
        text = f"{year // 1000},{year % 1000:03d}"
        return text + (_ordinal(text, node.ordinal) if node.ordinal else "")
    if field.upper() in ("AD", "BC", "A.D.", "B.C."):
        _calendar_only(m)
        text = ("BC" if m.year <= 0 else "AD") if "." not in field else ("B.C." if m.year <= 0 else "A.D.")
        return text.lower() if field.islower() else text
    return None


def _write_time(node: Node, m: Moment) -> str | None:
    field = node.field
    if field in ("HH", "HH12"):
        hour = m.hour if m.hour % 12 == 0 and False else (m.hour % 12 or 12) if m.hour >= 0 else -(-m.hour % 12 or 12)
        return _number(hour, 2, node)
    if field == "HH24":
        return _number(m.hour, 2, node)
    if field == "MI":
        return _number(m.minute, 2, node)
    if field == "SS":
        return _number(m.second, 2, node)
    if field == "MS":
        return _number(int(m.us / 1000), 3, Node(field, ordinal=node.ordinal))
    if field == "US":
        return _number(m.us, 6, Node(field, ordinal=node.ordinal))
    if field.startswith("FF"):
        return f"{abs(m.us):06d}"[: int(field[2])]
    if field in ("SSSS", "SSSSS"):
        return _number((m.hour * 60 + m.minute) * 60 + m.second, 1, node)
    if field.upper() in ("AM", "PM", "A.M.", "P.M."):
        half = "PM" if m.hour % 24 >= 12 else "AM"
        text = half if "." not in field else f"{half[0]}.M."
        return text.lower() if field.islower() else text
    return None


def _write_zone(node: Node, m: Moment) -> str | None:
    field = node.field
    if field.upper() not in ("TZ", "OF", "TZH", "TZM"):
        return None
    _calendar_only(m)
    sign = "-" if m.offset < 0 else "+"
    hours, minutes = divmod(abs(m.offset) // 60, 60)
    if field == "TZH":
        return f"{sign}{hours:02d}"
    if field == "TZM":
        return f"{minutes:02d}"
    offset = f"{sign}{hours:02d}" + (f":{minutes:02d}" if minutes else "")
    if field == "OF":
        return offset
    if not m.zoned:
        return ""
    name = "UTC" if m.offset == 0 else offset
    return name.lower() if field == "tz" else name


def write(moment: Moment, template: str) -> str:
    """to_char of a moment."""
    out = []
    for node in parse_template(template)[0]:
        if not node.field:
            out.append(node.text)
            continue
        for writer in (_write_date, _write_year, _write_time, _write_zone):
            text = writer(node, moment)
            if text is not None:
                out.append(text)
                break
    return "".join(out)


@pyfunction(typed=True)
def to_char(types: tuple[int, ...], value: str, template: str) -> str | None:
    if types[0] == 1186:
        return write(read_interval(value), template) if template else None
    if types[0] in (1114, 1184):
        moment = read_timestamp(value)
        return write(moment, template) if moment is not None and template else None
    return py_format_number.number_to_char(types[0], value, template)
