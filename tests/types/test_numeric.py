"""Properties of numeric against Python's Decimal and Fraction."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from dsql_core import types

EXACT = Context(prec=2000, Emax=10**6, Emin=-(10**6))
DECIMALS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**25), max_value=10**25),
    st.builds(
        lambda mantissa, scale: EXACT.scaleb(Decimal(mantissa), -scale),
        st.integers(-(10**40), 10**40),
        st.integers(0, 40),
    ),
    st.builds(
        lambda mantissa, scale: EXACT.scaleb(Decimal(mantissa), -scale),
        st.integers(-(10**19), 10**19),
        st.integers(0, 19),
    ),
)


def plain(value: Decimal) -> str:
    """Text without an exponent."""
    return f"{value:f}"


@settings(max_examples=400, deadline=None)
@given(DECIMALS, DECIMALS)
def test_exact_operations(a, b):
    for op, wanted in (("+", EXACT.add(a, b)), ("-", EXACT.subtract(a, b)), ("*", EXACT.multiply(a, b))):
        result = types.numeric(op, plain(a), plain(b))
        assert Decimal(result) == wanted
        scale = (
            -a.as_tuple().exponent - b.as_tuple().exponent
            if op == "*"
            else -min(a.as_tuple().exponent, b.as_tuple().exponent)
        )
        assert -Decimal(result).as_tuple().exponent == scale


@settings(max_examples=400, deadline=None)
@given(DECIMALS, DECIMALS.filter(lambda value: value != 0))
def test_division_is_rounded(a, b):
    quotient = types.numeric("/", plain(a), plain(b))
    scale = -Decimal(quotient).as_tuple().exponent
    exact = Fraction(a) / Fraction(b)
    assert abs(Fraction(quotient) - exact) <= Fraction(1, 2 * 10**scale)
    whole = types.numeric("div", plain(a), plain(b))
    assert int(whole) == int(exact)
    assert Fraction(types.numeric("%", plain(a), plain(b))) == Fraction(a) - int(exact) * Fraction(b)


@settings(max_examples=300, deadline=None)
@given(DECIMALS, DECIMALS)
def test_order_and_hash(a, b):
    assert types.compare(1700, plain(a), plain(b)) == (a > b) - (a < b)
    longer = plain(a) + ("000" if "." in plain(a) else ".000")
    assert types.compare(1700, plain(a), longer) == 0
    assert types.same_hash(1700, plain(a), longer)


@settings(max_examples=300, deadline=None)
@given(DECIMALS.map(abs))
def test_square_root(a):
    root = types.numeric("sqrt", plain(a))
    step = Fraction(1, 2 * 10 ** -Decimal(root).as_tuple().exponent)
    assert max(Fraction(root) - step, 0) ** 2 <= Fraction(a) <= (Fraction(root) + step) ** 2


@settings(max_examples=300, deadline=None)
@given(DECIMALS, st.integers(-30, 45))
def test_rounding(a, scale):
    unit = Fraction(10) ** -scale
    exact = Fraction(a) / unit
    nearest = int(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)
    assert Fraction(types.numeric("round", plain(a), scale)) == nearest * unit
    assert Fraction(types.numeric("trunc", plain(a), scale)) == int(exact) * unit


@settings(max_examples=200, deadline=None)
@given(st.lists(DECIMALS, min_size=1, max_size=40))
def test_sum_and_average(values):
    total = sum((Fraction(v) for v in values), Fraction(0))
    assert Fraction(types.numeric_total([plain(v) for v in values])) == total
    average = types.numeric_total([plain(v) for v in values], average=True)
    step = Fraction(1, 2 * 10 ** -Decimal(average).as_tuple().exponent)
    assert abs(Fraction(average) - total / len(values)) <= step


@settings(max_examples=300, deadline=None)
@given(DECIMALS)
def test_text_and_binary(a):
    assert types.normalise(1700, plain(a)) in (plain(a), plain(a).removeprefix("-"))  # -0 loses its sign
    assert types.decode(1700, types.encode(1700, plain(a))) == types.normalise(1700, plain(a))


def test_powers():
    """Scales as PostgreSQL 16 chooses them: at least 16 significant digits."""
    assert types.numeric("^", "2", 10) == "1024.0000000000000"
    assert types.numeric("^", "10", -2) == "0.010000000000000000"
    assert types.numeric("^", "3.789", 21) == "1409343026052.8716"
    assert types.numeric("^", "0", 0) == "1.0000000000000000"
    assert types.numeric("^", "-1.5", 3) == "-3.3750000000000000"


@settings(max_examples=200, deadline=None)
@given(DECIMALS, st.integers(-12, 12))
def test_powers_are_close(a, exponent):
    if a == 0 and exponent < 0:
        return
    result = types.numeric("^", plain(a), exponent)
    step = Fraction(1, 10 ** len(result.partition(".")[2]))
    assert abs(Fraction(result) - Fraction(a) ** exponent) <= step
