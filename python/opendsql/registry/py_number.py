# ruff: noqa: D103  (what each function does is PostgreSQL's manual's to say)
"""Functions of numeric that need more than the four operations: exp, ln, log, power, factorial, width_bucket.

decimal computes with more digits than are shown; the scale of the result follows PostgreSQL's rules, which estimate
the magnitude of the result first and keep at least 16 significant digits.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal

from opendsql.errors import DsqlError
from opendsql.registry.pyfunctions import pyfunction

SIGNIFICANT = 16
SCALE_MAX = 1000
LOG10_E = 0.434294481903252
_OVERFLOW = "value overflows numeric format"


def _scale(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _shown(value: Decimal, scale: int) -> str:
    context = Context(prec=max(1, value.adjusted() + scale + 4), Emax=999999, Emin=-999999)
    return format(value.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP, context=context), "f")


def _context(digits: int) -> Context:
    return Context(prec=digits + 12, Emax=999999, Emin=-999999)


def _bounded(scale: int, *least: int) -> int:
    return min(max(scale, 0, *least), SCALE_MAX)


def _groups(number: Decimal) -> tuple[list[int], int]:
    """Base-10000 digits and the weight of the first, as numeric keeps them."""
    _, digits, exponent = number.as_tuple()
    exponent = int(exponent)
    text = "".join(map(str, digits))
    pad = exponent % 4
    text += "0" * pad
    exponent -= pad
    text = "0" * (-len(text) % 4) + text
    groups = [int(text[at : at + 4]) for at in range(0, len(text), 4)]
    weight = len(groups) - 1 + exponent // 4
    while groups and groups[0] == 0:
        groups.pop(0)
        weight -= 1
    while groups and groups[-1] == 0:
        groups.pop()
    return groups, weight


def _ln_weight(number: Decimal) -> int:
    """Decimal weight of the first digit of ln(number), estimated."""
    if number <= 0:
        return 0
    if Decimal("0.9") <= number <= Decimal("1.1"):
        groups, weight = _groups(number - 1)
        return weight * 4 + int(math.log10(groups[0])) if groups else 0
    groups, weight = _groups(number)
    digits = groups[0]
    decimal_weight = weight * 4
    if len(groups) > 1:
        digits = digits * 10000 + groups[1]
        decimal_weight -= 4
    estimate = math.log(digits) + decimal_weight * 2.302585092994046
    return int(math.log10(abs(estimate))) if estimate else 0


def _ln(number: Decimal, digits: int) -> Decimal:
    return _context(digits).ln(number)


@pyfunction("exp")
def exp(text: str) -> str:
    number = Decimal(text)
    if number.is_nan():
        return "NaN"
    if number.is_infinite():
        return "0" if number < 0 else "Infinity"
    estimate = max(-2000.0, min(float(number) * LOG10_E, 2000.0))
    scale = _bounded(SIGNIFICANT - int(estimate), _scale(number))
    if number > 302000:
        raise DsqlError("22003", _OVERFLOW)
    if number < -6000:
        return _shown(Decimal(0), scale)
    return _shown(_context(scale + max(0, int(float(number) * LOG10_E))).exp(number), scale)


def _check_logarithm(number: Decimal) -> None:
    if number == 0:
        raise DsqlError("2201E", "cannot take logarithm of zero")
    if number < 0:
        raise DsqlError("2201E", "cannot take logarithm of a negative number")


@pyfunction("ln")
def ln(text: str) -> str:
    number = Decimal(text)
    if number.is_nan():
        return "NaN"
    _check_logarithm(number)
    if number.is_infinite():
        return "Infinity"
    scale = _bounded(SIGNIFICANT - _ln_weight(number), _scale(number))
    return _shown(_ln(number, scale + 8), scale)


@pyfunction("log", "log10")
def log(first: str, second: str | None = None) -> str:
    """log(x) to base 10, log(base, x)."""
    base, number = (Decimal(10), Decimal(first)) if second is None else (Decimal(first), Decimal(second))
    if base.is_nan() or number.is_nan():
        return "NaN"
    _check_logarithm(base)
    _check_logarithm(number)
    if base.is_infinite():
        return "NaN" if number.is_infinite() else "0"
    if number.is_infinite():
        return "Infinity"
    base_weight, number_weight = _ln_weight(base), _ln_weight(number)
    scale = _bounded(SIGNIFICANT - (number_weight - base_weight), _scale(base), _scale(number))
    denominator = _ln(base, scale + 16)
    if denominator == 0:
        raise DsqlError("22012", "division by zero")
    return _shown(_context(scale + 16).divide(_ln(number, scale + 16), denominator), scale)


def _power_special(base: Decimal, exponent: Decimal) -> str | None:
    # NaN and infinities, as POSIX pow treats them.
    if base.is_nan():
        return "1" if exponent == 0 and not exponent.is_nan() else "NaN"
    if exponent.is_nan():
        return "1" if base == 1 else "NaN"
    if not (base.is_infinite() or exponent.is_infinite()):
        return None
    if base == 1 or exponent == 0:
        return "1"
    if base == 0 and exponent < 0:
        raise DsqlError("2201F", "zero raised to a negative power is undefined")
    if exponent.is_infinite():
        if base == -1:
            return "1"
        grows = (abs(base) > 1) == (exponent > 0)
        return "Infinity" if grows else "0"
    if exponent < 0:
        return "0"
    odd = exponent == exponent.to_integral_value() and int(exponent) % 2 == 1
    if base < 0 and exponent != exponent.to_integral_value():
        return "Infinity"
    return "-Infinity" if base < 0 and odd else "Infinity"


@pyfunction("power", "pow")
def power(first: str, second: str) -> str:
    base, exponent = Decimal(first), Decimal(second)
    special = _power_special(base, exponent)
    if special is not None:
        return special
    if base == 0 and exponent < 0:
        raise DsqlError("2201F", "zero raised to a negative power is undefined")
    whole = exponent == exponent.to_integral_value()
    if base < 0 and not whole:
        raise DsqlError("2201F", "a negative number raised to a non-integer power yields a complex result")
    if whole and abs(exponent) < 2**31:
        return _whole_power(base, int(exponent), _scale(exponent))
    if base == 0:
        return _shown(Decimal(0), SIGNIFICANT)
    negative = base < 0 and int(exponent) % 2 == 1
    logarithm = float(exponent) * float(_ln(abs(base), 20))
    estimate = max(-2000.0, min(logarithm * LOG10_E, 2000.0))
    scale = _bounded(SIGNIFICANT - int(estimate), _scale(base), _scale(exponent))
    if logarithm * LOG10_E > 131072:
        raise DsqlError("22003", _OVERFLOW)
    if logarithm * LOG10_E < -1100:
        return _shown(Decimal(0), scale)
    context = _context(scale + int(abs(logarithm)) + 24)
    result = context.exp(context.multiply(context.ln(abs(base)), exponent))
    return _shown(-result if negative else result, scale)


def _whole_power(base: Decimal, exponent: int, exponent_scale: int) -> str:
    if base == 0:
        if exponent == 0:
            return _shown(Decimal(1), _bounded(SIGNIFICANT, _scale(base), exponent_scale))
        return _shown(Decimal(0), _bounded(SIGNIFICANT, _scale(base), exponent_scale))
    groups, weight = _groups(abs(base))
    estimate = float(groups[0])
    decimal_weight = weight * 4
    for at in range(1, min(len(groups), 4)):
        estimate = estimate * 10000 + groups[at]
        decimal_weight -= 4
    size = exponent * (math.log10(estimate) + decimal_weight)
    if size > 131072:
        raise DsqlError("22003", _OVERFLOW)
    if size + 1 < -SCALE_MAX:
        return _shown(Decimal(0), SCALE_MAX)
    scale = _bounded(SIGNIFICANT - int(size), _scale(base), exponent_scale)
    context = _context(scale + max(0, int(size)) + 8)
    return _shown(context.power(base, exponent), scale)


@pyfunction()
def factorial(text: str) -> str:
    number = int(text)
    if number < 0:
        raise DsqlError("22003", "factorial of a negative number is undefined")
    if number > 32177:
        raise DsqlError("22003", _OVERFLOW)
    value = Decimal(math.factorial(number)) if number < 1000 else None
    return str(value) if value is not None and number < 25 else _digits(math.factorial(number))


def _digits(value: int) -> str:
    # int -> str beyond Python's default limit of digits.
    parts = []
    while value:
        value, rest = divmod(value, 10**1000)
        parts.append(f"{rest:01000d}")
    return "".join(reversed(parts)).lstrip("0") or "0"


@pyfunction("width_bucket")
def width_bucket(operand: str, low: str, high: str, count: str) -> str:
    value, bottom, top, buckets = Decimal(operand), Decimal(low), Decimal(high), int(count)
    if buckets <= 0:
        raise DsqlError("2201G", "count must be greater than zero")
    if value.is_nan() or bottom.is_nan() or top.is_nan():
        raise DsqlError("2201G", "operand, lower bound, and upper bound cannot be NaN")
    if bottom.is_infinite() or top.is_infinite():
        raise DsqlError("2201G", "lower and upper bounds must be finite")
    if bottom == top:
        raise DsqlError("2201G", "lower bound cannot equal upper bound")
    ascending = bottom < top
    if (value < bottom) if ascending else (value > bottom):
        return "0"
    if (value >= top) if ascending else (value <= top):
        if buckets + 1 > 2147483647:
            raise DsqlError("22003", "integer out of range")
        return str(buckets + 1)
    context = _context(60)
    share = context.divide(context.multiply(context.subtract(value, bottom), buckets), context.subtract(top, bottom))
    return str(int(share) + 1)
