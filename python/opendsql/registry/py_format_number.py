# ruff: noqa: D103  (what each function does is PostgreSQL's manual's to say)
"""to_char of numbers and to_number: templates of digits (9 0), separators (. , D G), signs (S MI PL SG PR), V, RN, EEEE.

The writer walks template and digits together, as the manual's examples imply: leading places that have no digit are
blank (nothing with FM), a sign stands before the first digit unless the template places it.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal

from opendsql.errors import DsqlError
from opendsql.registry.pyfunctions import pyfunction

_WORDS = ("EEEE", "FM", "MI", "PL", "PR", "RN", "SG", "SP", "TH", "9", "0", ".", ",", "B", "D", "G", "L", "S", "V")
_CONTEXT = Context(prec=2000, Emax=999999, Emin=-999999)


@dataclass(slots=True)
class Template:
    """A parsed number template."""

    nodes: list[tuple[str, str]] = field(default_factory=list)  # (word or "", text)
    before: int = 0  # digit places before the point
    after: int = 0
    shift: int = 0  # places after V
    zero_start: int = 0
    zero_end: int = 0
    sign: str = ""  # "", "before", "after": where S stands
    sign_place: int = 0
    has_zero: bool = False
    has_point: bool = False
    has_shift: bool = False
    has_minus: bool = False
    has_plus: bool = False
    brackets: bool = False
    fill: bool = True  # no FM
    roman: str = ""
    scientific: bool = False


def _fault(text: str) -> DsqlError:
    return DsqlError("42601", text)


@functools.lru_cache(maxsize=256)
def parse_template(template: str) -> Template:
    """Split a template into its parts and count its places."""
    out = Template()
    at = 0
    while at < len(template):
        if template[at] == '"':
            end = at + 1
            while end < len(template) and template[end] != '"':
                end += template[end] == "\\"
                out.nodes.append(("", template[end : end + 1]))
                end += 1
            at = end + 1
            continue
        if template[at] == "\\" and at + 1 < len(template) and template[at + 1] == '"':
            out.nodes.append(("", '"'))
            at += 2
            continue
        word = next((w for w in _WORDS if template[at : at + len(w)].upper() == w), None)
        if word is None:
            out.nodes.append(("", template[at]))
            at += 1
            continue
        text = template[at : at + len(word)]
        at += len(word)
        _note(out, word, text)
        if word not in ("FM", "B", "SP"):
            out.nodes.append((word, text))
    return out


def _note(out: Template, word: str, text: str) -> None:
    if out.scientific and word != "EEEE":
        raise _fault('"EEEE" must be the last pattern used')
    if word == "9":
        if out.brackets:
            raise _fault('"9" must be ahead of "PR"')
        if out.has_shift:
            out.shift += 1
        elif out.has_point:
            out.after += 1
        else:
            out.before += 1
    elif word == "0":
        if out.brackets:
            raise _fault('"0" must be ahead of "PR"')
        if not out.has_zero and not out.has_point:
            out.has_zero = True
            out.zero_start = out.before + 1
        if out.has_point:
            out.after += 1
        else:
            out.before += 1
        out.zero_end = out.before + out.after
    elif word in (".", "D"):
        if out.has_point:
            raise _fault("multiple decimal points")
        if out.has_shift:
            raise _fault('cannot use "V" and decimal point together')
        out.has_point = True
    elif word == "FM":
        out.fill = False
    elif word == "S":
        if out.sign:
            raise _fault('cannot use "S" twice')
        if out.has_plus or out.has_minus or out.brackets:
            raise _fault('cannot use "S" and "PL"/"MI"/"SG"/"PR" together')
        out.sign = "after" if out.has_point else "before"
        out.sign_place = out.before
    elif word in ("MI", "PL", "SG"):
        if out.sign:
            raise _fault(f'cannot use "S" and "{word}" together')
        out.has_minus = out.has_minus or word in ("MI", "SG")
        out.has_plus = out.has_plus or word in ("PL", "SG")
    elif word == "PR":
        if out.sign or out.has_plus or out.has_minus:
            raise _fault('cannot use "PR" and "S"/"PL"/"MI"/"SG" together')
        out.brackets = True
    elif word == "RN":
        out.roman = text
    elif word == "V":
        if out.has_point:
            raise _fault('cannot use "V" and decimal point together')
        out.has_shift = True
    elif word == "EEEE":
        out.scientific = True


# --- writing ---------------------------------------------------------------------------------------------------------


def _roman(number: Decimal, template: Template) -> str:
    value = int(number.to_integral_value(rounding=ROUND_HALF_UP)) if number.is_finite() else 0
    if not 0 < value < 4000:
        return "#" * 15
    out = []
    for size, text in (
        (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
        (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
    ):  # fmt: skip
        count, value = divmod(value, size)
        out.append(text * count)
    roman = "".join(out)
    roman = roman.lower() if template.roman.islower() else roman
    return roman.rjust(15) if template.fill else roman


def _scientific(number: Decimal, template: Template) -> str:
    if not number.is_finite():
        return " " + "#" * (template.before or 1) + "." + "#" * template.after + "####"
    mantissa = f"{number:.{template.after}E}" if number else f"{0.0:.{template.after}E}"
    digits, _, exponent = mantissa.partition("E")
    value = int(exponent)
    text = f"{digits}e{'-' if value < 0 else '+'}{abs(value):02d}"
    return text if text.startswith("-") else " " + text


class _Writer:
    """One walk over a template and the digits of a number."""

    def __init__(self, template: Template, digits: str, negative: bool, blanks: int) -> None:
        self.t = template
        self.digits = digits
        self.at = 0  # next digit
        self.place = 0  # digit places seen
        self.blanks = blanks  # leading places without a digit
        self.negative = negative
        self.started = False
        self.out: list[str] = []
        self.sign = template.sign
        self.brackets = template.brackets
        if template.has_plus or template.has_minus:
            self.signed = not (template.has_plus and not template.has_minus)
        else:
            if not negative and self.brackets and not template.fill:
                self.brackets = False
            self.signed = not negative and not template.fill and not self.sign
            if self.sign == "before" and template.before == template.sign_place:
                self.sign = "after"
        self.zero_start = max(0, template.zero_start - 1)
        self.places = template.after + template.before - 1
        self.last = self._last_relevant()
        if not self.signed and blanks == 0:
            self.places += 1

    def _last_relevant(self) -> int | None:
        # Place of the last digit that FM keeps behind the point; the point itself when all are zero.
        if self.t.fill or not self.t.has_point or "." not in self.digits:
            return None
        point = self.digits.index(".")
        last = point
        for index in range(point + 1, len(self.digits)):
            if self.digits[index] != "0":
                last = index
        if self.t.zero_end > self.blanks:
            last = max(last, min(len(self.digits) - 1, self.t.zero_end - self.blanks))
        return last

    def _hides_zero(self) -> bool:
        # 0.1 by 9.9 shows no zero before its point.
        return not self.t.has_zero and self.at == 0 and self.digits.startswith("0") and self.t.after != 0

    def _sign_now(self) -> None:
        ends_at_point = self.last is not None and self.digits[self.last] == "."
        due = self.place >= self.blanks or (self.t.has_zero and self.zero_start == self.place)
        if self.signed or not due or (self._hides_zero() and not ends_at_point):
            return
        if self.sign:
            if self.sign == "before":
                self.out.append("-" if self.negative else "+")
                self.signed = True
        elif self.brackets:
            self.out.append("<" if self.negative else " ")
            self.signed = True
        elif not self.negative:
            if self.t.fill:
                self.out.append(" ")
            self.signed = True
        else:
            self.out.append("-")
            self.signed = True

    def digit(self, word: str) -> None:
        self._sign_now()
        if self.place < self.blanks and (self.zero_start > self.place or not self.t.has_zero):
            if self.t.fill:
                self.out.append(" ")
        elif self.t.has_zero and self.place < self.blanks and self.zero_start <= self.place:
            self.out.append("0")
            self.started = True
        else:
            self._real_digit(word)
        end = self.places + (1 if self.blanks else 0) + (1 if self.t.has_point else 0)
        if self.last is not None and self.last == self.at:
            end = self.place
        if self.place + 1 == end:
            if self.signed and self.brackets:
                self.out.append(">" if self.negative else " ")
            elif self.sign == "after":
                self.out.append("-" if self.negative else "+")
        self.place += 1

    def _real_digit(self, word: str) -> None:
        current = self.digits[self.at] if self.at < len(self.digits) else ""
        ends_at_point = self.last is not None and self.digits[self.last] == "."
        if current == ".":
            if self.last is None or not ends_at_point or not self.t.fill:
                self.out.append(".")
        elif self.last is not None and self.at > self.last and word != "0":
            pass
        elif self._hides_zero():
            if self.t.fill:
                self.out.append(" ")
            elif ends_at_point:
                self.out.append("0")
        else:
            self.out.append(current)
            self.started = True
        if current:
            self.at += 1

    def run(self) -> str:
        for word, text in self.t.nodes:
            if not word:
                self.out.append(text)
            elif word in ("9", "0", ".", "D"):
                self.digit(word)
            elif word in (",", "G"):
                if self.started:
                    self.out.append(",")
                elif self.t.fill:
                    self.out.append(" ")
            elif word == "L":
                self.out.append(" " if self.t.fill or True else "")
            elif word == "MI":
                self.out.append("-" if self.negative else " " if self.t.fill else "")
            elif word == "PL":
                self.out.append("" if self.negative and not self.t.fill else " " if self.negative else "+")
            elif word == "SG":
                self.out.append("-" if self.negative else "+")
            elif word == "TH" and not self.t.has_point and not self.negative and self.digits.isdigit():
                self.out.append(_ordinal(self.digits, text))
        return "".join(self.out)


def _ordinal(number: str, form: str) -> str:
    number = number.partition(".")[0]
    last = "0" if len(number) > 1 and number[-2] == "1" else number[-1:]
    ending = {"1": "st", "2": "nd", "3": "rd"}.get(last, "th")
    return ending.upper() if form == "TH" else ending


def number_to_char(oid: int, value: str, template_text: str) -> str | None:
    """to_char of a number of type oid."""
    if not template_text:
        return ""
    template = parse_template(template_text)
    number = Decimal(value.replace("Infinity", "inf"))
    if template.roman:
        if number.is_nan():
            raise DsqlError("0A000", "cannot convert NaN to integer")
        if abs(number) > 2147483647 and oid == 1700:
            raise DsqlError("22003", "integer out of range")
        return _roman(Decimal(round(float(value))) if oid in (700, 701) else number, template)
    if template.scientific:
        return _scientific(number, template)
    walked = Template(**{name: getattr(template, name) for name in template.__slots__})
    walked.before += template.shift
    if oid in (700, 701):
        return _float_to_char(value, oid, walked)
    if template.has_shift:
        number = number.scaleb(template.shift, context=_CONTEXT)
    if number.is_nan() or number.is_infinite():
        digits = "#" * walked.before + ("." + "#" * walked.after if walked.after else "")
        return _Writer(walked, digits, number.is_signed() and not number.is_nan(), 0).run()
    number = number.quantize(Decimal(1).scaleb(-walked.after), rounding=ROUND_HALF_UP, context=_CONTEXT)
    return _walk(walked, format(abs(number), "f"), number < 0)


def _float_to_char(value: str, oid: int, template: Template) -> str:
    # Rounded as C prints them, with no more than the type's 6 or 15 digits.
    number = float(value)
    if template.has_shift:
        number *= 10.0**template.shift
    if math.isnan(number):
        return _Writer(template, "NaN", False, max(0, template.before - 3)).run()
    if math.isinf(number):
        template.after = 0
        return _Writer(template, "#" * template.before + ".", number < 0, 0).run()
    whole = len(f"{abs(number):.0f}")
    template.after = max(0, min(template.after, (6 if oid == 700 else 15) - whole))
    text = f"{number:.{template.after}f}"
    return _walk(template, text.lstrip("-"), text.startswith("-"))


def _walk(template: Template, digits: str, negative: bool) -> str:
    whole = len(digits.partition(".")[0])
    if whole > template.before:
        digits = "#" * template.before + "." + "#" * template.after
    return _Writer(template, digits, negative, max(0, template.before - whole)).run()


# --- reading ---------------------------------------------------------------------------------------------------------


@pyfunction()
def to_number(text: str, template_text: str) -> str | None:
    """The number a text says under a template."""
    if not template_text:
        return None
    template = parse_template(template_text)
    if template.roman:
        raise DsqlError("0A000", '"RN" not supported for input')
    if template.scientific:
        raise DsqlError("0A000", '"EEEE" not supported for input')
    reader = _NumberReader(template, text)
    for word, _ in template.nodes:
        if reader.at >= len(text):
            break
        reader.read(word)
    return reader.value()


class _NumberReader:
    """Walks template and text together: every place of the template takes one character, fitting or not."""

    def __init__(self, template: Template, text: str) -> None:
        self.t = template
        self.text = text
        self.at = 0
        self.digits: list[str] = []
        self.before = self.after = 0
        self.negative = self.pointed = False

    def read(self, word: str) -> None:
        c = self.text[self.at]
        if word in ("9", "0", ".", "D"):
            self._place()
        elif word in (",", "G"):
            self.at += c == ","
        elif word in ("S", "MI", "PL", "SG"):
            if c in "+-":
                self.negative = c == "-"
                self.at += 1
        elif word == "PR":
            self.at += c == ">"
        elif word != "V":
            self.at += 1

    def _place(self) -> None:
        while self.at < len(self.text) and self.text[self.at] == " ":
            self.at += 1
        if self.at < len(self.text) and not self.digits:
            c = self.text[self.at]
            if c in "+-" or (c == "<" and self.t.brackets):
                self.negative = c in "-<"
                self.at += 1
        if self.at < len(self.text):
            c = self.text[self.at]
            if c.isdigit():
                if self.pointed and self.after == self.t.after:
                    return
                self.digits.append(c)
                if self.pointed:
                    self.after += 1
                else:
                    self.before += 1
            elif c == "." and self.t.has_point and not self.pointed:
                self.digits.append(c)
                self.pointed = True
            self.at += 1

    def value(self) -> str:
        if self.t.sign and self.text[self.at : self.at + 1] == "-":
            self.negative = True
        joined = "".join(self.digits)
        if not joined.strip("."):
            raise DsqlError("22P02", 'invalid input syntax for type numeric: " "')
        value = Decimal(joined)
        if abs(value) >= Decimal(10) ** (self.t.before + self.t.shift):
            raise DsqlError("22003", "numeric field overflow")
        if self.t.has_shift:
            value = _CONTEXT.multiply(value, Decimal(1).scaleb(-self.t.shift).quantize(Decimal("1e-16")))
        return format(-value if self.negative else value, "f")
