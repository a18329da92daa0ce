"""How the operator tables are read: one line per operator, parsed once at import.

    oid left name right -> result  implementation  function oid  commutator  negator  flags

  left            type by pg_type name, `.` for a prefix operator
  implementation  a kernel's name or `py:<name>`, as in table.py
  commutator      operator oid with the sides exchanged, 0 = none; negator the same
  flags           merge, hash (usable for such joins), stable | volatile, nulls, name=<pg_proc name of the function>
                  where that is not the implementation's
"""

from __future__ import annotations

from dataclasses import dataclass

from opendsql.registry.table import Function, type_oid


@dataclass(frozen=True, slots=True)
class Operator:
    """One row of pg_operator, with what computes it."""

    oid: int
    name: str
    left: int  # 0: prefix operator
    right: int
    result_type: int
    kind: str  # 'f' kernel, 'py'
    implementation: str
    function_oid: int
    function_name: str
    commutator: int = 0
    negator: int = 0
    merges: bool = False
    hashes: bool = False
    volatility: str = "i"
    strict: bool = True

    @property
    def arg_types(self) -> tuple[int, ...]:
        """Operand types, left first."""
        return (self.left, self.right) if self.left else (self.right,)

    def function(self) -> Function:
        """The function behind it, as pg_proc lists it."""
        return Function(
            oid=self.function_oid, name=self.function_name, arg_types=self.arg_types, result_type=self.result_type,
            kind=self.kind, implementation=self.implementation, volatility=self.volatility, strict=self.strict,
        )  # fmt: skip


def parse_operator(line: str) -> Operator:
    """The Operator a table line declares."""
    oid, left, name, right, arrow, result, implementation, function_oid, commutator, negator, *flags = line.split()
    if arrow != "->":
        raise ValueError(f"registry line not understood: {line!r}")
    prefix, _, tail = implementation.partition(":")
    names = [flag[5:] for flag in flags if flag.startswith("name=")]
    return Operator(
        oid=int(oid),
        name=name,
        left=0 if left == "." else type_oid(left),
        right=type_oid(right),
        result_type=type_oid(result),
        kind="py" if tail else "f",
        implementation=tail or prefix,
        function_oid=int(function_oid),
        function_name=names[0] if names else tail or prefix,
        commutator=int(commutator),
        negator=int(negator),
        merges="merge" in flags,
        hashes="hash" in flags,
        volatility="s" if "stable" in flags else "i",
        strict="nulls" not in flags and (tail or prefix) not in ("array_append", "array_prepend", "array_cat"),
    )


def operators(text: str) -> tuple[Operator, ...]:
    """Every line of a table; blank lines and # comments are skipped."""
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return tuple(parse_operator(line) for line in lines)
