"""All operators, joined from the tables by family and indexed for the resolver and pg_operator."""

from opendsql.registry import operators_arithmetic, operators_comparison, operators_other
from opendsql.registry.operator_table import Operator

OPERATORS: tuple[Operator, ...] = (
    operators_comparison.OPERATORS + operators_arithmetic.OPERATORS + operators_other.OPERATORS
)
OPERATORS_BY_OID: dict[int, Operator] = {operator.oid: operator for operator in OPERATORS}
OPERATORS_BY_NAME: dict[str, list[Operator]] = {}
for _operator in OPERATORS:
    OPERATORS_BY_NAME.setdefault(_operator.name, []).append(_operator)


def equality_operator(oid: int) -> Operator | None:
    """The `=` of a type with itself (arrays: the polymorphic one), or None."""
    from opendsql.registry.types import ANYARRAY, TYPES_BY_OID

    wanted = {1043: 25}.get(oid, oid)
    entry = TYPES_BY_OID.get(oid)
    if entry is not None and entry.is_array:
        wanted = ANYARRAY
    for operator in OPERATORS_BY_NAME["="]:
        if operator.left == wanted and operator.right == wanted:
            return operator
    return None
