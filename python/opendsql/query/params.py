"""Statement parameters while a statement is being bound: declared, inferred, lifted.

A parameter whose type is not declared is UNKNOWN until the first place that needs a type gives it one. Lifted
parameters stand for literals of the original text: an integer or numeric literal has its type from the start, a string
literal is UNKNOWN like the literal it was.

Invariants
  Q1  a parameter gets one type; a second, different one is 42P08 with PostgreSQL's DETAIL.
  Q2  indexes are 0-based here, $n in texts.
"""

from __future__ import annotations

from opendsql.errors import DsqlError
from opendsql.query.expr import INT4, INT8, NUMERIC, TEXT, UNKNOWN, Param
from opendsql.registry.types import format_type

_NONE = 1 << 30  # no parameter is a lifted literal
LITERAL_TYPES = {"i4": INT4, "i8": INT8, "n": NUMERIC, "s": UNKNOWN}


class NeedsOriginal(Exception):
    """A lifted literal stands where the plan needs its value: plan the original text instead."""


class Params:
    """Types of $1..$n, growing as the statement names more of them."""

    def __init__(self, declared: list[int] | tuple[int, ...] = (), literals: list[str] | tuple[str, ...] = ()) -> None:
        # declared: oids from Parse (0 = unknown); literals: kinds of the lifted ones, which come after the highest $n
        self.types: list[int] = [oid or UNKNOWN for oid in declared]
        self.lifted_from = _NONE
        self.used: set[int] = set()
        if literals:
            self.lift(len(self.types), literals)

    def lift(self, first: int, kinds: list[str] | tuple[str, ...]) -> None:
        """Say that parameters first.. are lifted literals of these kinds."""
        while len(self.types) < first:
            self.types.append(UNKNOWN)
        self.lifted_from = first
        self.types[first:] = [LITERAL_TYPES[kind] for kind in kinds]

    def reference(self, number: int, location: int, position: int | None) -> Param:
        """The expression for $number."""
        if number < 1 or number > 65535:
            raise DsqlError("42P02", f"there is no parameter ${number}", position=position)
        index = number - 1
        while len(self.types) <= index:
            self.types.append(UNKNOWN)
        self.used.add(index)
        return Param(self.types[index], index, lifted=index >= self.lifted_from, location=location)

    def infer(self, param: Param, type_oid: int, position: int | None) -> Param:
        """Give an unknown parameter its type."""
        known = self.types[param.index]
        if known not in (UNKNOWN, type_oid):
            if param.lifted:
                raise NeedsOriginal
            raise DsqlError(
                "42P08",
                f"inconsistent types deduced for parameter ${param.index + 1}",
                detail=f"{format_type(known)} versus {format_type(type_oid)}",
                position=position,
            )
        self.types[param.index] = type_oid
        return Param(type_oid, param.index, lifted=param.lifted, location=param.location)

    def finish(self) -> list[int]:
        """Types of all parameters; what nothing gave a type is an error when declared by number only."""
        for index, oid in enumerate(self.types):
            if oid == UNKNOWN:
                if index in self.used:
                    self.types[index] = TEXT
                else:
                    raise DsqlError("42P18", f"could not determine data type of parameter ${index + 1}")
        return self.types
