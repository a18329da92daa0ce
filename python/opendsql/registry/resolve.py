"""Which operator, function or cast an expression means: PostgreSQL's resolution rules over the registry.

The rules are those of the manual's chapter "Type Conversion", in the order the parser applies them: exact match;
candidates reachable by implicit casts; most exact matches; most preferred types; for unknown literals the string
category or the category all candidates share. Polymorphic arguments are made consistent at the end.

Invariants
  R1  argument types are oids; 705 (unknown) is an untyped literal or parameter. Results never contain polymorphic
      types except when every input was unknown and PostgreSQL would refuse, which raises.
  R2  everything raised is DsqlError with PostgreSQL's text; positions are the caller's to add.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from opendsql.errors import DsqlError
from opendsql.registry import polymorphic
from opendsql.registry.casts import CASTS_BY_PAIR
from opendsql.registry.functions import FUNCTIONS_BY_NAME
from opendsql.registry.operator_table import Operator
from opendsql.registry.operators import OPERATORS_BY_NAME, OPERATORS_BY_OID
from opendsql.registry.refused import refuse_function
from opendsql.registry.table import Function
from opendsql.registry.types import ANY, ANYARRAY, TYPES_BY_OID, UNKNOWN, find_type, format_type

# Their text forms are names of the catalog: hooks `text_regclass`, `regclass_text` ... instead of cast_io.
REG_TYPES = frozenset({24, 2205, 2206, 4089, 4096})
BPCHAR, VARCHAR, TEXT, CSTRING = 1042, 1043, 25, 2275
# Python functions whose work depends on the argument types: their kernel name carries them (`to_jsonb:23`).
TYPED = frozenset(
    "array_to_json to_char"
    " pg_typeof pg_column_size array_position array_positions array_remove array_replace arrayoverlap arraycontains"
    " arraycontained width_bucket_array array_fill array_append array_prepend array_cat".split()
)
_CONTEXT_RANK = {"i": 0, "a": 1, "e": 2}


@dataclass(frozen=True, slots=True)
class CastMatch:
    """How a value of one type becomes another.

    method: 'binary' nothing to do; 'kernel' ("call", kernel, ...); 'io' the same with kernel cast_io; 'py'
    ("py", kernel, ...); 'array' element by element, by the CastMatch `element` (kernel array_cast where it is io or
    binary, else py).
    """

    method: str
    kernel: str | None
    source: int
    target: int
    volatility: str = "i"
    element: CastMatch | None = None


@dataclass(frozen=True, slots=True)
class OperatorMatch:
    """The operator chosen, with the types its operands must be coerced to."""

    oid: int
    name: str
    kind: str  # 'f' kernel | 'py'
    kernel: str
    arg_types: tuple[int, ...]
    result_type: int
    strict: bool
    volatility: str
    commutator: int = 0
    negator: int = 0

    @property
    def volatile(self) -> bool:
        """Whether it must be evaluated for every row."""
        return self.volatility == "v"


@dataclass(frozen=True, slots=True)
class FunctionMatch:
    """The function chosen, with the types its arguments must be coerced to.

    kind: 'f' kernel, 'py', 'srf', 'a' aggregate, 'w' window, 'cast' (a type's name used as a function: coerce the
    argument to result_type explicitly). arg_types has one entry per argument after variadic expansion; `order` names
    for each of them the caller's argument, or, when it is None, the default text in `defaults` at the same place.
    variadic_array: the caller's trailing arguments arg_types[variadic_from:] are to be packed into one array of
    variadic_array (("array", elem, oid, ...)); 0 = pass them as they are.
    """

    oid: int
    name: str
    kind: str
    kernel: str
    arg_types: tuple[int, ...]
    result_type: int
    volatility: str
    strict: bool
    order: tuple[int | None, ...] = ()
    defaults: tuple[str | None, ...] = ()
    variadic_array: int = 0
    variadic_from: int = 0
    returns_set: bool = False
    out_columns: tuple[tuple[str, int], ...] = ()
    aggkind: str = "n"

    @property
    def volatile(self) -> bool:
        """Whether it must be evaluated for every row."""
        return self.volatility == "v"

    @property
    def variadic(self) -> bool:
        """Whether trailing arguments are packed into an array."""
        return self.variadic_array != 0


# --- casts -----------------------------------------------------------------------------------------------------------


@cache
def find_cast(source: int, target: int, context: str = "i") -> CastMatch | None:
    """How `source` becomes `target` in a context: 'i' implicit, 'a' assignment, 'e' explicit; None when it cannot."""
    if source == target:
        return CastMatch("binary", None, source, target)
    if source == UNKNOWN:
        return CastMatch("io", "cast_io", source, target)
    if target in polymorphic.ALL or target == ANY:
        return CastMatch("binary", None, source, source)
    cast = CASTS_BY_PAIR.get((source, target))
    if cast is not None:
        if _CONTEXT_RANK[cast.context] > _CONTEXT_RANK[context]:
            return None
        return CastMatch(cast.method, cast.implementation, source, target, cast.volatility)
    source_type, target_type = TYPES_BY_OID.get(source), TYPES_BY_OID.get(target)
    if source_type is None or target_type is None:
        return None
    if source_type.name.startswith("_") and target_type.name.startswith("_"):
        element = find_cast(source_type.elem_oid, target_type.elem_oid, context)
        if element is None:
            return None
        if element.method == "binary":
            return CastMatch("io", "cast_io", source, target, "i", element)
        method = "io" if element.method == "io" else "py"
        kernel = "cast_io" if method == "io" else f"array_cast:{source},{target}"
        return CastMatch(method, kernel, source, target, element.volatility, element)
    if source in (22, 30) and target == TYPES_BY_OID[source_type.elem_oid].array_oid:
        return CastMatch("binary", None, source, target)  # the vectors are arrays that count from 0
    if source in (22, 30) and target == source_type.elem_oid:
        return None
    return _io_cast(source, target, context)


def _io_cast(source: int, target: int, context: str) -> CastMatch | None:
    # The automatic casts: anything to a string by assignment, a string to anything explicitly.
    source_type, target_type = TYPES_BY_OID[source], TYPES_BY_OID[target]
    if source_type.kind == "p" and source not in (2249, 2278) or target_type.kind == "p":  # record and void have an output
        return None
    if context in ("a", "e") and target_type.category == "S":
        if source in REG_TYPES:
            return CastMatch("py", f"{source_type.name}_text", source, target, "s")
        return CastMatch("io", "cast_io", source, target, "s")
    if context == "e" and source_type.category == "S":
        if target in REG_TYPES:
            return CastMatch("py", f"text_{target_type.name}", source, target, "s")
        return CastMatch("io", "cast_io", source, target, "s")
    return None


def can_coerce(source: int, target: int, context: str = "i") -> bool:
    """Whether `source` becomes `target` in the context; polymorphic targets take what they stand for."""
    if source == target or target == ANY:
        return True
    if target in polymorphic.ALL:
        return polymorphic.accepts(target, source)
    if target == 2249:  # record: only records
        return source in (UNKNOWN, 2249)
    return find_cast(source, target, context) is not None


def is_binary_coercible(source: int, target: int) -> bool:
    """Whether values of `source` are values of `target` without work (implicit binary casts)."""
    if source == target:
        return True
    entry = TYPES_BY_OID.get(source)
    if target == ANYARRAY:
        return entry is not None and entry.is_array
    cast = CASTS_BY_PAIR.get((source, target))
    if cast is None or cast.context != "i":
        return False
    return cast.method == "binary" or (source == 23 and target in (26, 24, 2205, 2206, 4089, 4096))


def cast_error(source: int, target: int) -> DsqlError:
    """42846, what an impossible explicit cast raises."""
    return DsqlError("42846", f"cannot cast type {format_type(source)} to {format_type(target)}")


# --- choosing among candidates ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """One overload as this call sees it: argument types after variadic expansion, in the caller's order."""

    types: tuple[int, ...]
    entry: Any  # Operator or Function
    places: tuple[int, ...] = ()  # of each argument in named notation
    expanded: bool = False


def _category(oid: int) -> str:
    entry = TYPES_BY_OID.get(oid)
    return entry.category if entry is not None else "U"


def _preferred(oid: int) -> bool:
    entry = TYPES_BY_OID.get(oid)
    return entry is not None and entry.preferred


def _keep_best(candidates: list[Candidate], score: Callable[[Candidate], int]) -> list[Candidate]:
    scores = [score(candidate) for candidate in candidates]
    best = max(scores)
    return [candidate for candidate, value in zip(candidates, scores, strict=True) if value == best]


def _select(candidates: list[Candidate], inputs: Sequence[int]) -> Candidate | None:
    """The one candidate PostgreSQL prefers for these inputs, or None when it cannot decide."""
    known = [index for index, oid in enumerate(inputs) if oid != UNKNOWN]
    unknown = [index for index, oid in enumerate(inputs) if oid == UNKNOWN]

    def exact(candidate: Candidate) -> int:
        return sum(candidate.types[index] == inputs[index] for index in known)

    def exact_or_preferred(candidate: Candidate) -> int:
        # Preferred counts only within the input's own category.
        return sum(
            candidate.types[index] == inputs[index]
            or (
                _preferred(candidate.types[index])
                and _category(candidate.types[index]) == _category(inputs[index])
            )
            for index in known
        )

    candidates = _keep_best(candidates, exact)
    if len(candidates) == 1:
        return candidates[0]
    candidates = _keep_best(candidates, exact_or_preferred)
    if len(candidates) == 1:
        return candidates[0]
    if not unknown:
        return None
    candidates = _by_unknown_category(candidates, unknown)
    if len(candidates) == 1:
        return candidates[0]
    if known and len({inputs[index] for index in known}) == 1:
        # Last resort: the unknown inputs have the type that all known ones have.
        only = inputs[known[0]]
        fitting = [c for c in candidates if all(can_coerce(only, oid) for oid in c.types)]
        if len(fitting) == 1:
            return fitting[0]
    return None


def _by_unknown_category(candidates: list[Candidate], unknown: list[int]) -> list[Candidate]:
    # Each unknown input is a string if some candidate takes one there, else of the category all candidates share.
    wanted: dict[int, tuple[str, bool]] = {}
    for index in unknown:
        category = ""
        has_preferred = conflict = False
        for candidate in candidates:
            oid = candidate.types[index]
            if not category:
                category, has_preferred = _category(oid), _preferred(oid)
            elif _category(oid) == category:
                has_preferred = has_preferred or _preferred(oid)
            elif _category(oid) == "S":
                category, has_preferred = "S", _preferred(oid)
            else:
                conflict = True
        if conflict and category != "S":
            return candidates
        wanted[index] = (category, has_preferred)

    def fits(candidate: Candidate) -> bool:
        return all(
            _category(candidate.types[index]) == category and (_preferred(candidate.types[index]) or not preferred)
            for index, (category, preferred) in wanted.items()
        )

    kept = [candidate for candidate in candidates if fits(candidate)]
    return kept or candidates


def _matching(candidates: list[Candidate], inputs: Sequence[int]) -> list[Candidate]:
    return [
        candidate
        for candidate in candidates
        if all(can_coerce(have, want) for have, want in zip(inputs, candidate.types, strict=True))
        and polymorphic.consistent(candidate.types, inputs)
    ]


# --- operators -------------------------------------------------------------------------------------------------------


def find_operator(name: str, left: int | None, right: int) -> OperatorMatch:
    """The operator for operand types (left None: prefix operator); raises 42883 or 42725."""
    match = _find_operator(name, left, right)
    if isinstance(match, OperatorMatch):
        return match
    operands = f"{name} {format_type(right)}" if left is None else f"{format_type(left)} {name} {format_type(right)}"
    if match == "ambiguous":
        raise DsqlError(
            "42725",
            f"operator is not unique: {operands}",
            hint="Could not choose a best candidate operator. You might need to add explicit type casts.",
        )
    raise DsqlError("42883", f"operator does not exist: {operands}", hint=_operator_hint(left))


def _operator_hint(left: int | None) -> str:
    types = "type" if left is None else "types"
    tail = "an explicit type cast" if left is None else "explicit type casts"
    return f"No operator matches the given name and argument {types}. You might need to add {tail}."


@lru_cache(maxsize=4096)
def _find_operator(name: str, left: int | None, right: int) -> OperatorMatch | str:
    named = [op for op in OPERATORS_BY_NAME.get(name, ()) if (op.left == 0) == (left is None)]
    inputs = (right,) if left is None else (left, right)
    # An unknown operand is first taken to have the other's type.
    guess = inputs
    if left is not None and left == UNKNOWN and right != UNKNOWN:
        guess = (right, right)
    elif left is not None and right == UNKNOWN and left != UNKNOWN:
        guess = (left, left)
    if UNKNOWN not in guess:
        for operator in named:
            if operator.arg_types == guess:
                return _operator_match(operator, guess)
    candidates = [Candidate(operator.arg_types, operator) for operator in named]
    candidates = _matching(candidates, inputs)
    if not candidates:
        return "missing"
    chosen = candidates[0] if len(candidates) == 1 else _select(candidates, inputs)
    if chosen is None:
        return "ambiguous"
    return _operator_match(chosen.entry, inputs)


def _operator_match(operator: Operator, inputs: Sequence[int]) -> OperatorMatch:
    arg_types, result = polymorphic.bind(operator.arg_types, inputs, operator.result_type)
    kernel = operator.implementation
    if kernel in TYPED:
        kernel = f"{kernel}:{','.join(map(str, arg_types))}"
    return OperatorMatch(
        operator.oid, operator.name, operator.kind, kernel, arg_types, result, operator.strict,
        operator.volatility, operator.commutator, operator.negator,
    )  # fmt: skip


def operator_by_oid(oid: int) -> Operator | None:
    """The registry's row for pg_operator.oid."""
    return OPERATORS_BY_OID.get(oid)


# --- functions -------------------------------------------------------------------------------------------------------


def find_function(
    name: str,
    arg_types: Sequence[int],
    *,
    arg_names: Sequence[str | None] = (),
    variadic_call: bool = False,
    extra: Sequence[Function] = (),
) -> FunctionMatch:
    """The function for argument types; raises 42883, 42725, or 0A000 for those DSQL refuses.

    Args:
        arg_names: name of each argument in named notation, None for positional ones; empty when all are positional.
        variadic_call: the call spells VARIADIC before its last argument.
        extra: candidates of the database itself (user functions), as Function rows.
    """
    refuse_function(name)
    match = _find_function(name, tuple(arg_types), tuple(arg_names), variadic_call, tuple(extra))
    if isinstance(match, FunctionMatch):
        return match
    shown = [format_type(oid) for oid in arg_types]
    for index, label in enumerate(arg_names):
        if label is not None:
            shown[index] = f"{label} => {shown[index]}"
    call = f"{name}({', '.join(shown)})"
    if match == "ambiguous":
        raise DsqlError(
            "42725",
            f"function {call} is not unique",
            hint="Could not choose a best candidate function. You might need to add explicit type casts.",
        )
    raise DsqlError(
        "42883",
        f"function {call} does not exist",
        hint="No function matches the given name and argument types. You might need to add explicit type casts.",
    )


@lru_cache(maxsize=4096)
def _find_function(
    name: str, inputs: tuple[int, ...], labels: tuple[str | None, ...], variadic_call: bool, extra: tuple[Function, ...]
) -> FunctionMatch | str:
    candidates: list[Candidate] = []
    for function in (*extra, *FUNCTIONS_BY_NAME.get(name, ())):
        candidate = _candidate(function, len(inputs), labels, variadic_call)
        if candidate is not None:
            _offer(candidates, candidate)
    for candidate in candidates:
        if candidate.types == inputs:
            return _function_match(candidate, inputs)
    if len(inputs) == 1 and not labels and not variadic_call:
        coercion = _type_function(name, inputs[0])
        if coercion is not None:
            return coercion
    candidates = _matching(candidates, inputs)
    if not candidates:
        return "missing"
    chosen = candidates[0] if len(candidates) == 1 else _select(candidates, inputs)
    return "ambiguous" if chosen is None else _function_match(chosen, inputs)


def _offer(candidates: list[Candidate], candidate: Candidate) -> None:
    # Of two with the same argument types: the one without variadic expansion, then the one with fewer defaults.
    for index, other in enumerate(candidates):
        if other.types == candidate.types:
            rank = (candidate.expanded, len(candidate.entry.arg_types))
            if rank < (other.expanded, len(other.entry.arg_types)):
                candidates[index] = candidate
            return
    candidates.append(candidate)


def _candidate(
    function: Function, count: int, labels: tuple[str | None, ...], variadic_call: bool
) -> Candidate | None:
    declared = function.arg_types
    if any(label is not None for label in labels):
        return _named_candidate(function, count, labels)
    if variadic_call:
        return Candidate(declared, function) if function.variadic and count == len(declared) else None
    if function.variadic and count >= len(declared):
        extra = (function.variadic,) * (count - len(declared) + 1)
        return Candidate(declared[:-1] + extra, function, expanded=True)
    if count == len(declared):
        return Candidate(declared, function)
    if len(declared) - len(function.defaults) <= count < len(declared) and not function.variadic:
        return Candidate(declared[:count], function)
    return None


def _named_candidate(function: Function, count: int, labels: tuple[str | None, ...]) -> Candidate | None:
    if not function.arg_names or count > len(function.arg_types):
        return None
    places = []
    for index, label in enumerate(labels):
        place = index if label is None else _index(function.arg_names, label)
        if place is None or place in places:
            return None
        places.append(place)
    required = len(function.arg_types) - len(function.defaults)
    if any(place not in places for place in range(required)):
        return None
    return Candidate(tuple(function.arg_types[place] for place in places), function, tuple(places))


def _index(names: Sequence[str], name: str) -> int | None:
    return names.index(name) if name in names else None


def _function_match(candidate: Candidate, inputs: tuple[int, ...]) -> FunctionMatch:
    function: Function = candidate.entry
    arg_types, result = polymorphic.bind(candidate.types, inputs, function.result_type)
    kernel = function.implementation
    if kernel in TYPED:
        shown = inputs if kernel == "pg_typeof" else arg_types
        kernel = f"{kernel}:{','.join(map(str, shown))}"
    order: tuple[int | None, ...] = tuple(range(len(inputs)))
    defaults: tuple[str | None, ...] = ()
    total = len(function.arg_types)
    if candidate.places or len(inputs) < total:
        places = candidate.places or tuple(range(len(inputs)))
        order = tuple(places.index(slot) if slot in places else None for slot in range(total))
        types = dict(zip(places, arg_types, strict=True))
        first_default = total - len(function.defaults)
        arg_types = tuple(types.get(slot, function.arg_types[slot]) for slot in range(total))
        defaults = tuple(
            function.defaults[slot - first_default] if order[slot] is None else None for slot in range(total)
        )
    packed = 0
    if candidate.expanded and function.variadic != ANY:
        packed = polymorphic.array_type(arg_types[-1])
    return FunctionMatch(
        oid=function.oid, name=function.name, kind=function.kind, kernel=kernel, arg_types=arg_types,
        result_type=result, volatility=function.volatility, strict=function.strict, order=order, defaults=defaults,
        variadic_array=packed, variadic_from=len(function.arg_types) - 1 if packed else 0,
        returns_set=function.returns_set, out_columns=function.out_columns, aggkind=function.aggkind,
    )  # fmt: skip


def _type_function(name: str, source: int) -> FunctionMatch | None:
    # A type's name called with one argument is a cast, where the cast is no function of that name.
    target = find_type(name)
    if target is None or target.kind == "p":
        return None
    cast = find_cast(source, target.oid, "e")
    if source != UNKNOWN and (cast is None or cast.method not in ("binary", "io")):
        return None
    return FunctionMatch(
        0, name, "cast", cast.kernel if cast and cast.kernel else "", (source,), target.oid, "i", True, (0,)
    )


# --- common types ----------------------------------------------------------------------------------------------------


def common_type(oids: Sequence[int], context: str | None = "CASE") -> int:
    """The type that UNION, CASE, VALUES, COALESCE ... give their alternatives; all unknown is text.

    Raises 42804 `<context> types <a> and <b> cannot be matched`.
    """
    chosen = oids[0]
    for oid in oids[1:]:
        if oid in (UNKNOWN, chosen):
            continue
        if chosen == UNKNOWN:
            chosen = oid
        elif _category(oid) != _category(chosen):
            text = f"types {format_type(chosen)} and {format_type(oid)} cannot be matched"
            raise DsqlError("42804", f"{context} {text}" if context else f"arguments of anycompatible family: {text}")
        elif not _preferred(chosen) and can_coerce(chosen, oid) and not can_coerce(oid, chosen):
            chosen = oid
    if chosen == UNKNOWN:
        return TEXT
    for oid in oids:
        if context and not can_coerce(oid, chosen):
            raise DsqlError(
                "42846", f"{context} could not convert type {format_type(oid)} to {format_type(chosen)}"
            )
    return chosen
