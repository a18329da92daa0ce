# ruff: noqa: D103  (what each function does is PostgreSQL's manual's to say)
"""Running SQL/JSON paths over documents: jsonb_path_exists, _match, _query, _query_array, _query_first, and @? and @@.

Values are jsontext's (dict, list, str, Number, bool, None). lax mode unwraps and wraps arrays where a step needs it and
forgives structural errors; strict mode raises them. A predicate is True, False or None (unknown); errors within it make it
unknown. silent (and the operators) turns the errors of the whole run into no result.

Semantics and texts: PostgreSQL 16's jsonpath_exec.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

from opendsql.errors import DsqlError
from opendsql.registry import jsontext, py_regex
from opendsql.registry.jsonpath import ANY_LEVEL, PREDICATES, Tree, parse
from opendsql.registry.jsontext import Number
from opendsql.registry.pgtext import bool_text
from opendsql.registry.pyfunctions import pyfunction

_DATETIME = (
    (re.compile(r"\d{4}-\d\d-\d\d$"), "date"),
    (re.compile(r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?$"), "time without time zone"),
    (re.compile(r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?\s*[+-]\d\d(:?\d\d)?$"), "time with time zone"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d{1,2}:\d\d(:\d\d(\.\d+)?)?$"), "timestamp without time zone"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d{1,2}:\d\d(:\d\d(\.\d+)?)?\s*(Z|[+-]\d\d(:?\d\d)?)$"), "timestamp with time zone"),
)


class Moment(str):
    """A date or time of .datetime(); its text in ISO form."""

    __slots__ = ("kind",)
    kind: str


class _Run:
    """One evaluation: the mode, the document and the variables."""

    def __init__(self, strict: bool, root: Any, variables: Any) -> None:
        self.strict, self.root, self.variables = strict, root, variables
        self.sizes: list[int] = []  # of the arrays being subscripted, for last

    def items(self, tree: Tree, current: Any) -> Iterator[Any]:
        """Every item of an expression."""
        kind = tree[0]
        if kind in PREDICATES:
            yield self.truth(tree, current)
        elif kind == "$":
            yield self.root
        elif kind == "@":
            yield current
        elif kind == "const":
            yield tree[1]
        elif kind == "last":
            yield Number(self.sizes[-1] - 1)
        elif kind == "var":
            if not isinstance(self.variables, dict) or tree[1] not in self.variables:
                raise DsqlError("42704", f'could not find jsonpath variable "{tree[1]}"')
            yield self.variables[tree[1]]
        elif kind == "op":
            yield self.arithmetic(tree, current)
        elif kind in ("pos", "neg"):
            for item in self.unwrapped(self.items(tree[1], current)):
                if not isinstance(item, Number):
                    sign = "+" if kind == "pos" else "-"
                    raise DsqlError("2203B", f"operand of unary jsonpath operator {sign} is not a numeric value")
                yield Number(-Decimal(item)) if kind == "neg" else item
        else:
            for base in self.items(tree[1], current):
                yield from self.step(tree, base, current)

    def unwrapped(self, items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            if isinstance(item, list) and not self.strict:
                yield from item
            else:
                yield item

    # -- accessors

    def step(self, tree: Tree, base: Any, current: Any) -> Iterator[Any]:
        kind = tree[0]
        if kind == "[*]":
            yield from self.every_element(base)
        elif kind == "[]":
            yield from self.elements(tree[2], base, current)
        elif kind == "**":
            yield from self.descend(base, 0, tree[2], tree[3])
        elif isinstance(base, list) and not self.strict and not (kind == "method" and tree[2] in ("size", "type")):
            for item in base:
                yield from self.step_one(tree, item)
        else:
            yield from self.step_one(tree, base)

    def step_one(self, tree: Tree, base: Any) -> Iterator[Any]:
        kind = tree[0]
        if kind == "?":
            if self.truth(tree[2], base) is True:
                yield base
        elif kind == "method":
            yield from self.method(tree[2], tree[3], base)
        elif kind == ".*":
            if isinstance(base, dict):
                yield from base.values()
            elif self.strict:
                raise DsqlError("2203C", "jsonpath wildcard member accessor can only be applied to an object")
        elif isinstance(base, dict):
            if tree[2] in base:
                yield base[tree[2]]
            elif self.strict:
                raise DsqlError("2203A", f'JSON object does not contain key "{tree[2]}"')
        elif self.strict:
            raise DsqlError("2203A", "jsonpath member accessor can only be applied to an object")

    def every_element(self, base: Any) -> Iterator[Any]:
        if isinstance(base, list):
            yield from base
        elif self.strict:
            raise DsqlError("22039", "jsonpath wildcard array accessor can only be applied to an array")
        else:
            yield base

    def elements(self, subscripts: Any, base: Any, current: Any) -> Iterator[Any]:
        if not isinstance(base, list):
            if self.strict:
                raise DsqlError("22039", "jsonpath array accessor can only be applied to an array")
            base = [base]
        self.sizes.append(len(base))
        try:
            for first, last in subscripts:
                low = self.subscript(first, current)
                high = self.subscript(last, current) if last is not None else low
                if self.strict and (low < 0 or low > high or high >= len(base)):
                    raise DsqlError("22033", "jsonpath array subscript is out of bounds")
                yield from base[max(low, 0) : max(high + 1, 0)]
        finally:
            self.sizes.pop()

    def subscript(self, tree: Tree, current: Any) -> int:
        found = list(self.items(tree, current))
        if len(found) != 1 or not isinstance(found[0], Number):
            raise DsqlError("22033", "jsonpath array subscript is not a single numeric value")
        value = int(Decimal(found[0]))
        if not -(1 << 31) <= value < 1 << 31:
            raise DsqlError("22033", "jsonpath array subscript is out of integer range")
        return value

    def descend(self, base: Any, level: int, first: int, last: int) -> Iterator[Any]:
        parts = list(base.values()) if isinstance(base, dict) else base if isinstance(base, list) else []
        if first <= level <= last or (first == ANY_LEVEL and not parts):
            yield base
        if level < last:
            for part in parts:
                yield from self.descend(part, level + 1, first, last)

    # -- methods

    def method(self, name: str, argument: str | None, base: Any) -> Iterator[Any]:
        if name == "type":
            yield base.kind if isinstance(base, Moment) else jsontext.kind(jsontext.dumps(base))
        elif name == "size":
            if not isinstance(base, list) and self.strict:
                raise DsqlError("22039", "jsonpath item method .size() can only be applied to an array")
            yield Number(len(base) if isinstance(base, list) else 1)
        elif name == "double":
            yield _double(base)
        elif name == "datetime":
            yield _moment(base, argument)
        elif name == "keyvalue":
            if not isinstance(base, dict):
                raise DsqlError("2203C", "jsonpath item method .keyvalue() can only be applied to an object")
            for key, value in base.items():
                yield {"id": Number(0), "key": key, "value": value}
        else:
            if not isinstance(base, Number):
                raise DsqlError("22036", f"jsonpath item method .{name}() can only be applied to a numeric value")
            number = Decimal(base)
            if name == "abs":
                yield Number(abs(number))
            else:
                yield Number(number.to_integral_value("ROUND_FLOOR" if name == "floor" else "ROUND_CEILING"))

    def arithmetic(self, tree: Tree, current: Any) -> Number:
        _, sign, left, right = tree
        values = []
        for side, part in (("left", left), ("right", right)):
            found = list(self.unwrapped(self.items(part, current)))
            if len(found) != 1 or not isinstance(found[0], Number):
                raise DsqlError("22038", f"{side} operand of jsonpath operator {sign} is not a single numeric value")
            values.append(Decimal(found[0]))
        one, two = values
        if sign in "/%" and two == 0:
            raise DsqlError("22012", "division by zero")
        with localcontext() as context:
            context.prec = 1000
            if sign == "/":
                return Number(_quotient(one, two))
            result = {"+": one.__add__, "-": one.__sub__, "*": one.__mul__, "%": one.__mod__}[sign](two)
        return Number(format(result, "f"))

    # -- predicates

    def truth(self, tree: Tree, current: Any) -> bool | None:
        kind = tree[0]
        if kind in ("and", "or"):
            stop = kind == "or"
            left = self.truth(tree[1], current)
            if left is stop:
                return stop
            right = self.truth(tree[2], current)
            return right if right is stop or left is not None else None
        if kind == "not":
            inner = self.truth(tree[1], current)
            return None if inner is None else not inner
        if kind == "unknown":
            return self.truth(tree[1], current) is None
        try:
            return self.test(tree, current)
        except DsqlError as error:
            if error.sqlstate in ("42704", "42601"):
                raise
            return None

    def test(self, tree: Tree, current: Any) -> bool | None:
        kind = tree[0]
        if kind == "exists":
            found = self.items(tree[1], current)
            return bool(list(found)) if self.strict else next(found, _NOTHING) is not _NOTHING
        if kind == "cmp":
            left = list(self.unwrapped(self.items(tree[2], current)))
            right = list(self.unwrapped(self.items(tree[3], current)))
            return self.any_pair([_compare(tree[1], a, b) for a in left for b in right])
        left = list(self.unwrapped(self.items(tree[1], current)))
        if kind == "starts":
            initials = list(self.items(tree[2], current))
            return self.any_pair([_starts(a, b) for a in left for b in initials])
        return self.any_pair([_like(a, tree[2], tree[3]) for a in left])

    def any_pair(self, results: list[bool | None]) -> bool | None:
        """True when one is; in strict mode one unknown makes all unknown."""
        if self.strict and None in results:
            return None
        if True in results:
            return True
        return None if None in results else False


_NOTHING = object()


def _quotient(one: Decimal, two: Decimal) -> str:
    """numeric division's scale: at least 16 significant digits, in groups of four, and both scales."""

    def weight(value: Decimal) -> tuple[int, int]:
        power = value.adjusted() // 4 if value else 0
        return power, int(abs(value).scaleb(-4 * power)) if value else 0

    (w1, d1), (w2, d2) = weight(one), weight(two)
    above = w1 - w2 - (1 if d1 <= d2 else 0)
    scales = [max(-int(v.as_tuple().exponent), 0) for v in (one, two)]
    scale = min(max(16 - above * 4, *scales, 0), 1000)
    return format((one / two).quantize(Decimal(1).scaleb(-scale), "ROUND_HALF_UP"), "f")


def _double(base: Any) -> Number:
    if isinstance(base, Number) or isinstance(base, str):
        try:
            value = float(base)
        except ValueError:
            value = float("nan")
        if value == value and value not in (float("inf"), float("-inf")):
            shown = repr(value)
            return Number(shown[:-2] if shown.endswith(".0") else format(Decimal(shown), "f"))
        what = "numeric" if isinstance(base, Number) else "string"
        raise DsqlError(
            "22036", f"{what} argument of jsonpath item method .double() is out of range for type double precision"
            if isinstance(base, Number)
            else "string argument of jsonpath item method .double() is not a valid representation of a double precision number",
        )  # fmt: skip
    raise DsqlError("22036", "jsonpath item method .double() can only be applied to a string or numeric value")


def _moment(base: Any, template: str | None) -> Moment:
    if not isinstance(base, str) or isinstance(base, Number):
        raise DsqlError("22031", "jsonpath item method .datetime() can only be applied to a string")
    if template is None:
        for pattern, kind in _DATETIME:
            if pattern.match(base):
                found = Moment(base.replace(" ", "T", 1) if kind.startswith("timestamp") else base)
                found.kind = kind
                return found
    raise DsqlError(
        "22031", f'datetime format is not recognized: "{base}"', hint="Use a datetime template argument to specify the input data format."
    )


def _compare(op: str, left: Any, right: Any) -> bool | None:
    order: int | None
    if left is None or right is None:
        if left is None and right is None:
            order = 0
        else:
            return op == "!="
    elif isinstance(left, Number) and isinstance(right, Number):
        one, two = Decimal(left), Decimal(right)
        order = (one > two) - (one < two)
    elif isinstance(left, bool) and isinstance(right, bool):
        order = left - right
    elif isinstance(left, Number) or isinstance(right, Number):
        return None
    elif isinstance(left, str) and isinstance(right, str):
        kinds = [value.kind if isinstance(value, Moment) else "" for value in (left, right)]
        if kinds[0] != kinds[1]:
            return None
        order = (left > right) - (left < right)
    else:
        return None
    return {"==": order == 0, "!=": order != 0, "<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0}[op]


def _starts(whole: Any, initial: Any) -> bool | None:
    strings = all(isinstance(v, str) and not isinstance(v, Number) for v in (whole, initial))
    return str(whole).startswith(str(initial)) if strings else None


def _like(whole: Any, pattern: str, flags: str) -> bool | None:
    if not isinstance(whole, str) or isinstance(whole, Number):
        return None
    options = "".join({"i": "i", "s": "s", "m": "n" if "s" not in flags else "w", "x": "x", "q": ""}[f] for f in flags)
    if "q" in flags:
        pattern = re.sub(r"([\\.^$*+?()\[\]{}|])", r"\\\1", pattern)
    elif "s" not in flags and "m" not in flags:
        options += "p"
    return py_regex.regexp_like(whole, pattern, options) == "t"


# --- the functions -----------------------------------------------------------------------------------------------------


def query(target: str, path: str, variables: str = "{}", silent: str = "f") -> list[Any]:
    """Every item a path finds."""
    values = jsontext.loads(variables)
    if not isinstance(values, dict):
        raise DsqlError(
            "22023", '"vars" argument is not an object',
            detail='Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
        )  # fmt: skip
    parsed = parse(path)
    root = jsontext.loads(target)
    found: list[Any] = []
    try:
        try:
            found.extend(_Run(parsed.strict, root, values).items(parsed.tree, root))
        except (InvalidOperation, OverflowError):
            raise DsqlError("22003", "value overflows numeric format") from None
    except DsqlError as error:
        if silent != "t" or error.sqlstate in ("42704", "42601"):
            raise
        return []
    return found


@pyfunction("jsonb_path_exists", "jsonb_path_exists_tz")
def jsonb_path_exists(target: str, path: str, variables: str = "{}", silent: str = "f") -> str:
    return bool_text(bool(query(target, path, variables, silent)))


@pyfunction("jsonb_path_match", "jsonb_path_match_tz")
def jsonb_path_match(target: str, path: str, variables: str = "{}", silent: str = "f") -> str | None:
    found = query(target, path, variables, silent)
    if len(found) == 1 and (found[0] is None or isinstance(found[0], bool)):
        return None if found[0] is None else bool_text(found[0])
    if silent == "t":
        return None
    raise DsqlError("22038", "single boolean result is expected")


@pyfunction("jsonb_path_query_array", "jsonb_path_query_array_tz")
def jsonb_path_query_array(target: str, path: str, variables: str = "{}", silent: str = "f") -> str:
    return jsontext.dumps(query(target, path, variables, silent))


@pyfunction("jsonb_path_query_first", "jsonb_path_query_first_tz")
def jsonb_path_query_first(target: str, path: str, variables: str = "{}", silent: str = "f") -> str | None:
    found = query(target, path, variables, silent)
    return jsontext.dumps(found[0]) if found else None


@pyfunction("jsonb_path_exists_opr")
def jsonb_path_exists_opr(target: str, path: str) -> str | None:
    parsed, root = parse(path), jsontext.loads(target)
    try:
        found = next(_Run(parsed.strict, root, {}).items(parsed.tree, root), _NOTHING)
    except DsqlError as error:
        if error.sqlstate in ("42704", "42601"):
            raise
        return None
    return bool_text(found is not _NOTHING)


@pyfunction("jsonb_path_match_opr")
def jsonb_path_match_opr(target: str, path: str) -> str | None:
    return jsonb_path_match(target, path, "{}", "t")


def rows(target: str, path: str, variables: str = "{}", silent: str = "f") -> list[tuple[str | None, ...]]:
    """jsonb_path_query: one row per item."""
    return [(jsontext.dumps(item),) for item in query(target, path, variables, silent)]
