# ruff: noqa: D103  (what each function does is PostgreSQL's manual's to say)
"""to_date and to_timestamp: reading a text under a template.

Digits are read as far as they go, or as many as the field has when another digit field follows at once. Blanks and
separators of template and text match loosely (not under FX).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from opendsql.errors import DsqlError
from opendsql.registry.py_format_date import DAYS, MONTHS, ROMAN, Node, date_of, days_of, iso_start, parse_template
from opendsql.registry.pyfunctions import pyfunction

_WIDTHS = {
    "YYYY": 4, "IYYY": 4, "YYY": 3, "IYY": 3, "YY": 2, "IY": 2, "Y": 1, "I": 1, "MM": 2, "DD": 2, "DDD": 3, "IDDD": 3,
    "D": 1, "ID": 1, "HH": 2, "HH12": 2, "HH24": 2, "MI": 2, "SS": 2, "MS": 3, "US": 6, "WW": 2, "IW": 2, "W": 1,
    "Q": 1, "CC": 2, "J": 7, "SSSS": 5, "SSSSS": 5, "TZH": 2, "TZM": 2,
    "FF1": 1, "FF2": 2, "FF3": 3, "FF4": 4, "FF5": 5, "FF6": 6,
}  # fmt: skip


@dataclass(slots=True)
class _Read:
    """What was read so far, by field."""

    values: dict[str, int] = field(default_factory=dict)
    bc: bool = False
    pm: bool | None = None
    zone: str = ""


def _invalid(value: str, name: str, detail: str | None = None) -> DsqlError:
    return DsqlError("22007", f'invalid value "{value}" for "{name}"', detail=detail)


class _Reader:
    """One walk over template and text."""

    def __init__(self, text: str, template: str) -> None:
        self.text = text
        self.nodes, self.exact = parse_template(template)
        self.at = 0
        self.read = _Read()

    def run(self) -> _Read:
        if not self.exact:
            self._blanks()
        for index, node in enumerate(self.nodes):
            if self.at >= len(self.text):
                break
            if not node.field:
                self._literal(node)
                continue
            if not self.exact:
                self._blanks()
                if self.at < len(self.text) and not self.text[self.at].isalnum() and self.text[self.at] not in "+-":
                    self._separators()
            self._field(node, self._digit_follows(index))
        return self.read

    def _blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def _separators(self) -> None:
        while self.at < len(self.text) and not self.text[self.at].isalnum() and self.text[self.at] not in "+-":
            self.at += 1

    def _literal(self, node: Node) -> None:
        c = self.text[self.at]
        if self.exact or node.quoted or node.text.isalnum():
            self.at += 1
        elif not c.isalnum():
            self.at += 1
            self._blanks()

    def _digit_follows(self, index: int) -> bool:
        if self.nodes[index].ordinal or index + 1 >= len(self.nodes):
            return False
        following = self.nodes[index + 1]
        return following.field in _WIDTHS or (not following.field and following.text.isdigit())

    def _field(self, node: Node, fixed: bool) -> None:
        name = node.field
        upper = name.upper()
        if upper in ("MONTH", "MON"):
            self.read.values["MM"] = self._word(MONTHS, node, upper == "MON") + 1
        elif upper in ("DAY", "DY"):
            self._word(DAYS, node, upper == "DY")
        elif upper == "RM":
            for number in sorted(range(12), key=lambda n: -len(ROMAN[n])):
                if self.text[self.at :].upper().startswith(ROMAN[number]):
                    self.read.values["MM"] = number + 1
                    self.at += len(ROMAN[number])
                    return
            raise _invalid(self.text[self.at : self.at + 4], node.text)
        elif upper in ("AM", "PM", "A.M.", "P.M.", "AD", "BC", "A.D.", "B.C."):
            found = self.text[self.at : self.at + len(name)].upper()
            if found.replace(".", "") not in ("AM", "PM", "AD", "BC"):
                raise _invalid(
                    self.text[self.at : self.at + len(name)], node.text,
                    "The given value did not match any of the allowed values for this field.",
                )  # fmt: skip
            self.at += len(name)
            if found[0] in "AP" and "M" in found:
                self.read.pm = found.startswith("P")
            else:
                self.read.bc = found.startswith("B")
        elif upper in ("TZ", "OF"):
            raise DsqlError("0A000", f'formatting field "{upper}" is only supported in to_char')
        elif name == "Y,YYY":
            self._millennia(node)
        else:
            self._number(node, fixed)

    def _word(self, words: list[str], node: Node, short: bool) -> int:
        rest = self.text[self.at :].lower()
        for number in range(len(words)):
            word = words[number].lower()
            word = word[:3] if short else word
            if rest.startswith(word):
                self.at += len(word)
                return number
        shown = self.text[self.at :].split(" ")[0]
        detail = "The given value did not match any of the allowed values for this field."
        raise _invalid(shown, node.text, detail)

    def _millennia(self, node: Node) -> None:
        start = self.at
        while self.at < len(self.text) and (self.text[self.at].isdigit() or self.text[self.at] == ","):
            self.at += 1
        digits = self.text[start : self.at]
        if "," not in digits:
            raise DsqlError("22007", 'invalid input string for "Y,YYY"')
        self.read.values["YYYY"] = int(digits.replace(",", ""))

    def _number(self, node: Node, fixed: bool) -> None:
        name, start = node.field, self.at
        width = _WIDTHS[name]
        exact = fixed or self.exact or name.startswith("FF") or name in ("MS", "US")
        strict = (fixed or self.exact) and not name.startswith("FF") and name not in ("MS", "US")
        chunk = self.text[start : start + width] if exact else self.text[start:]
        if strict and len(chunk) < width:
            raise DsqlError(
                "22007",
                f'source string too short for "{node.text}" formatting field',
                detail=f"Field requires {width} characters, but only {len(chunk)} remain.",
                hint='If your source string is not fixed-width, try using the "FM" modifier.',
            )
        match = re.match(r"\s*[+-]?\d+", chunk)
        if match is None:
            raise _invalid(self.text[start : start + width], node.text, "Value must be an integer.")
        digits = match[0].strip()
        if strict and match.end() < width:
            raise DsqlError(
                "22007",
                f'invalid value "{chunk}" for "{node.text}"',
                detail=f"Field requires {width} characters, but only {match.end()} could be parsed.",
                hint='If your source string is not fixed-width, try using the "FM" modifier.',
            )
        self.at = start + match.end()
        if not -(2**31) <= int(digits) < 2**31:
            raise DsqlError(
                "22008",
                f'value for "{node.text}" in source string is out of range',
                detail="Value must be in the range -2147483648 to 2147483647.",
            )
        value = int(digits)
        if node.ordinal and self.text[self.at : self.at + 2].lower() in ("st", "nd", "rd", "th"):
            self.at += 2
        if name in ("MS", "US") or name.startswith("FF"):
            value = int(digits.ljust(6, "0"))
            name = "US"
        elif name in ("YYY", "IYY") and len(digits) <= 3:
            value += 1000 if value >= 520 and value < 1000 else 2000 if value < 520 else 0
            name = "YYYY" if name == "YYY" else "IYYY"
        elif name in ("YY", "IY") and len(digits) <= 2:
            value += 2000 if value < 70 else 1900
            name = "YYYY" if name == "YY" else "IYYY"
        elif name in ("Y", "I") and len(digits) <= 1:
            value += 2000
            name = "YYYY" if name == "Y" else "IYYY"
        elif name in ("YYY", "YY", "Y"):
            name = "YYYY"
        elif name in ("IYY", "IY", "I"):
            name = "IYYY"
        elif name == "TZH":
            self.read.zone = digits if digits[0] in "+-" else "+" + digits
            return
        elif name == "TZM":
            self.read.zone += f":{value:02d}"
            return
        name = {"HH": "HH12", "SSSSS": "SSSS"}.get(name, name)
        if self.read.values.get(name, value) != value:
            raise DsqlError(
                "22007",
                f'conflicting values for "{node.text}" field in formatting string',
                detail="This value contradicts a previous setting for the same field type.",
            )
        self.read.values[name] = value


def _day(read: _Read) -> int:
    """Days since 2000-01-01."""
    values = read.values
    year = values.get("YYYY", 0)
    if "CC" in values:
        century = values["CC"]
        if "YYYY" in values:
            year = (century - 1) * 100 + year % 100 if year % 100 else century * 100
        else:
            year = (century - 1) * 100 + 1 if century > 0 else century * 100 + 1
    elif read.bc or year < 0:
        year = -abs(year) + 1 if year else 0
    if "J" in values:
        return values["J"] - 2451545
    if "IYYY" in values and "IW" in values:
        return iso_start(values["IYYY"]) + (values["IW"] - 1) * 7 + values.get("ID", 1) - 1
    if "IYYY" in values and "IDDD" in values:
        return iso_start(values["IYYY"]) + values["IDDD"] - 1
    if "IYYY" in values:
        year = values["IYYY"]
    if "WW" in values and "DDD" not in values and "MM" not in values:
        return days_of(year, 1, 1) + (values["WW"] - 1) * 7
    if "DDD" in values and "MM" not in values:
        return days_of(year, 1, 1) + values["DDD"] - 1
    month, day = values.get("MM", 1), values.get("DD", 1)
    if "W" in values and "DD" not in values:
        day = (values["W"] - 1) * 7 + 1
    in_month = (days_of(year + month // 12, month % 12 + 1, 1) - days_of(year, month, 1)) if 1 <= month <= 12 else 0
    if not 1 <= month <= 12 or not 1 <= day <= in_month:
        raise DsqlError("22008", "date/time field value out of range")
    return days_of(year, month, day)


def _date_text(days: int) -> tuple[str, str]:
    year, month, day = date_of(days)
    return f"{year if year > 0 else 1 - year:04d}-{month:02d}-{day:02d}", " BC" if year <= 0 else ""


def _read(text: str, template: str) -> _Read:
    return _Reader(text, template).run()


def _named(error: DsqlError, text: str) -> DsqlError:
    if error.message == "date/time field value out of range":
        return DsqlError("22008", f'date/time field value out of range: "{text}"')
    return error


@pyfunction()
def to_date(text: str, template: str) -> str | None:
    if not template:
        return None
    try:
        days = _day(_read(text, template))
        if not -2451545 <= days < 2145031949:
            raise DsqlError("22008", f'date out of range: "{text}"')
        date, era = _date_text(days)
    except DsqlError as error:
        raise _named(error, text) from None
    return date + era


@pyfunction()
def to_timestamp(text: str, template: str) -> str | None:
    """Local time of the session's zone, unless the text said a zone."""
    if not template:
        return None
    try:
        read = _read(text, template)
        days = _day(read)
        if not -2451545 <= days <= 106751990:
            raise DsqlError("22008", f'timestamp out of range: "{text}"')
        date, era = _date_text(days)
    except DsqlError as error:
        raise _named(error, text) from None
    values = read.values
    hour = values.get("HH24", 0)
    if "HH12" in values:
        hour = values["HH12"]
        if not 1 <= hour <= 12:
            raise DsqlError(
                "22007",
                f'hour "{hour}" is invalid for the 12-hour clock',
                hint="Use the 24-hour clock, or give an hour between 1 and 12.",
            )
        hour = hour % 12 + (12 if read.pm else 0)
    elif read.pm is not None:
        hour = hour % 12 + (12 if read.pm else 0)
    minute, second = values.get("MI", 0), values.get("SS", 0)
    if "SSSS" in values:
        hour, rest = divmod(values["SSSS"], 3600)
        minute, second = divmod(rest, 60)
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 59):
        raise DsqlError("22008", f'date/time field value out of range: "{text}"')
    return f"{date} {hour:02d}:{minute:02d}:{second:02d}.{values.get('US', 0):06d}{read.zone}{era}"
