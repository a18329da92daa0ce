"""Types while binding: type names, coercion of one expression to a type, the common type of several.

coerce() is the one place that turns an UNKNOWN literal or parameter into a typed one and the one that inserts casts.
Contexts are PostgreSQL's: 'i' implicit, 'a' assignment, 'e' explicit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from opendsql.errors import DsqlError, unsupported
from opendsql.query.expr import (
    BOOL,
    BPCHAR,
    FLOAT4,
    FLOAT8,
    INT2,
    INT4,
    INT8,
    INTERVAL,
    JSONPATH,
    NUMERIC,
    RECORD,
    REGCLASS,
    TEXT,
    UNKNOWN,
    VARCHAR,
    ArrayCtor,
    Cast,
    Const,
    Expr,
    Param,
    RowExpr,
)
from opendsql.query.params import NeedsOriginal
from opendsql.query.parts import Part
from opendsql.registry import jsonpath, resolve
from opendsql.registry.refused import REFUSED_TYPES, refused_type
from opendsql.registry.types import TYPES_BY_NAME, TYPES_BY_OID, find_type, format_type, typmod_of

Node = dict[str, Any]

_REG_TYPES = {24, 2202, 2203, 2204, REGCLASS, 2206, 3734, 3769, 4089, 4096, 4191}
_TYPMOD_TYPES = {BPCHAR, VARCHAR, NUMERIC, INTERVAL, 1083, 1114, 1184, 1266}


class CastBinder(Part):
    """Mixin of Binder."""

    # -- type names ----------------------------------------------------------------------------------------------

    def type_name(self, node: Node) -> tuple[int, int]:
        """(type oid, typmod) of a TypeName."""
        names = [n["String"].get("sval", "") for n in node["names"]]
        position = self.position(node.get("location", 0))
        schema, name = (names[-2] if len(names) > 1 else None), names[-1]
        entry = None
        if schema in (None, "pg_catalog"):
            entry = TYPES_BY_NAME.get(name)
        if entry is None:
            return self._catalog_type(schema, name, names, node, position)
        if entry.oid in REFUSED_TYPES:
            raise refused_type(entry.display)
        oid = entry.oid
        typmod = -1
        if "typmods" in node:
            typmod = self._typmod(oid, node["typmods"], position)
        if node.get("arrayBounds"):
            if not entry.array_oid and not entry.is_array:
                raise DsqlError("42704", f'type "{name}[]" does not exist', position=position)
            oid = entry.array_oid or oid
        return oid, typmod

    def _catalog_type(
        self, schema: str | None, name: str, names: list[str], node: Node, position: int | None
    ) -> tuple[int, int]:
        """A domain (its base type), or a table's row type as record."""
        domain = self.domain_named(node)
        if domain is not None:
            if node.get("arrayBounds"):
                return TYPES_BY_OID[domain.type_oid].array_oid, domain.typmod
            return domain.type_oid, domain.typmod
        if schema == "information_schema":
            base = {"sql_identifier": "name", "character_data": "varchar", "cardinal_number": "int4",
                    "yes_or_no": "varchar", "time_stamp": "timestamptz"}.get(name)  # fmt: skip
            if base:
                return TYPES_BY_NAME[base].oid, -1
        shown = ".".join(names) + ("[]" if node.get("arrayBounds") else "")
        raise DsqlError("42704", f'type "{shown}" does not exist', position=position)

    def domain_named(self, node: Node) -> Any:
        """The domain a TypeName names, or None."""
        names = [n["String"].get("sval", "") for n in node["names"]]
        known = getattr(self.catalog, "domains", None)
        if not known or (len(names) == 1 and names[0] in TYPES_BY_NAME):
            return None
        schemas = (names[-2],) if len(names) > 1 else self.search_path
        return next((known[s, names[-1]] for s in schemas if (s, names[-1]) in known), None)

    def _typmod(self, oid: int, items: list[Node], position: int | None) -> int:
        modifiers = []
        for item in items:
            constant = item.get("A_Const")
            if constant is None or "ival" not in constant:
                if "ParamRef" in item and self.params.lifted_from < len(self.params.types):
                    raise NeedsOriginal
                raise DsqlError("42601", "type modifiers must be simple constants or identifiers", position=position)
            modifiers.append(constant["ival"].get("ival", 0))
        try:
            return typmod_of(oid, modifiers)
        except DsqlError as error:
            error.position = error.position or position
            raise

    # -- coercion ------------------------------------------------------------------------------------------------

    def coerce(
        self, expr: Expr, oid: int, typmod: int = -1, context: str = "i", location: int | None = None
    ) -> Expr | None:
        """expr as a value of the type, None when the context does not allow it."""
        source = expr.type_oid
        if source == oid:
            return self.length_coercion(self.settle(expr) if oid == RECORD else expr, oid, typmod, context)
        if source == UNKNOWN:
            found = self._coerce_unknown(expr, oid, typmod, location)
            if found is not None:
                return self.length_coercion(found, oid, typmod, context)
        if isinstance(expr, ArrayCtor) and TYPES_BY_OID[oid].elem_oid and not expr.items:
            return replace(expr, type_oid=oid, elem_oid=TYPES_BY_OID[oid].elem_oid)
        if isinstance(expr, RowExpr):
            expr = self.settle(expr)
            if oid == RECORD:
                return expr
            if context != "i" and TYPES_BY_OID[oid].category == "S":
                return Cast(oid, expr, "cast_io", kind="call", implicit=context != "e")
            return None
        match = resolve.find_cast(source, oid, context)
        if match is None:
            return None
        folded = _fold_number(expr, oid)
        if folded is None:
            kind = {"binary": "binary", "py": "py"}.get(match.method, "call")
            folded = Cast(oid, expr, match.kernel or "", kind=kind, implicit=context != "e", volatile=match.volatility)
        return self.length_coercion(folded, oid, typmod, context)

    def _coerce_unknown(self, expr: Expr, oid: int, typmod: int, location: int | None) -> Expr | None:
        if isinstance(expr, Const):
            if oid in _REG_TYPES and expr.text is not None:
                return Const(oid, self.reg_value(oid, expr.text, expr.location))
            if oid == RECORD and expr.text is not None:
                raise unsupported("input of anonymous composite types is not implemented")
            self.check_literal(expr, oid)
            mode = typmod if oid == INTERVAL else -1
            if oid == JSONPATH and expr.text is not None:
                return Const(oid, str(jsonpath.parse(expr.text)), location=expr.location)
            return Const(oid, expr.text, typmod=mode, location=expr.location)
        if isinstance(expr, Param):
            if expr.lifted and oid in _REG_TYPES:
                raise NeedsOriginal
            where = expr.location if location is None else location
            if oid in _REG_TYPES:  # the client sends a name, which only the catalog can read
                name = self.params.infer(expr, TEXT, self.position(where))
                return Cast(oid, name, f"text_{TYPES_BY_OID[oid].name}", kind="py", volatile="s")
            return self.params.infer(expr, oid, self.position(where))
        # a subquery's or CASE's unknown output was given type text already; what is left is a cast of text
        return None

    def length_coercion(self, expr: Expr, oid: int, typmod: int, context: str) -> Expr:
        """expr fitted to a type modifier (varchar(3), numeric(5,2) ...)."""
        if typmod < 0 or expr.typmod == typmod:
            return expr
        base, kernel = oid, "apply_typmod"
        if oid not in _TYPMOD_TYPES:
            element = TYPES_BY_OID[oid].elem_oid
            if element not in _TYPMOD_TYPES:
                return expr
            return replace(expr, typmod=typmod)
        if isinstance(expr, Const) and expr.text is None:
            return replace(expr, typmod=typmod)
        explicit = Const(BOOL, "true" if context == "e" else "false")
        return Cast(
            base, expr, kernel, implicit=context != "e", typmod=typmod, extra=(Const(INT4, str(typmod)), explicit)
        )

    def coerce_or_fail(self, expr: Expr, oid: int, clause: str, location: int | None) -> Expr:
        """expr as oid implicitly, else 42804 `argument of <clause> must be type <t>, not type <u>`."""
        found = self.coerce(expr, oid, location=location)
        if found is None:
            wanted = "boolean" if oid == BOOL else format_type(oid)
            raise DsqlError(
                "42804",
                f"argument of {clause} must be type {wanted}, not type {format_type(expr.type_oid)}",
                position=self.position(location),
            )
        return found

    def explicit_cast(self, expr: Expr, oid: int, typmod: int, location: int | None) -> Expr:
        """CAST(expr AS type)."""
        found = self.coerce(expr, oid, typmod, "e", location)
        if found is None:
            error = resolve.cast_error(expr.type_oid, oid)
            error.position = self.position(location)
            raise error
        return found

    def settle(self, expr: Expr) -> Expr:
        """An output expression: what is still unknown becomes text."""
        if isinstance(expr, RowExpr) and any(i.type_oid == UNKNOWN for i in expr.items):
            return replace(expr, items=tuple(self.settle(i) for i in expr.items))
        if expr.type_oid != UNKNOWN:
            return expr
        found = self.coerce_settling(expr)
        self.settled[id(found)] = (found, expr)
        return found

    def coerce_settling(self, expr: Expr) -> Expr:
        """An unknown expression as text; a parameter stays open until the statement ends, a set operation may decide."""
        if isinstance(expr, Const):
            return Const(TEXT, expr.text, location=expr.location)
        if isinstance(expr, Param):
            return Param(TEXT, expr.index, lifted=expr.lifted, location=expr.location)
        return Cast(TEXT, expr, "cast_io")

    # -- common types --------------------------------------------------------------------------------------------

    def common_type(
        self, exprs: list[Expr], what: str, location: int | None = None, places: list[int] | None = None
    ) -> int:
        """The type UNION, CASE, VALUES ... give several expressions; 42804 when they have none."""
        oids = [e.type_oid for e in exprs]
        best = oids[0]
        if best != UNKNOWN and all(o == best for o in oids):
            return best
        chosen = UNKNOWN
        for place, oid in enumerate(oids):
            if oid in (UNKNOWN, chosen):
                continue
            if chosen == UNKNOWN:
                chosen = oid
                continue
            one, two = TYPES_BY_OID[chosen], TYPES_BY_OID[oid]
            if one.category != two.category:
                raise DsqlError(
                    "42804",
                    f"{what} types {format_type(chosen)} and {format_type(oid)} cannot be matched",
                    position=self.position(places[place] if places else location),
                )
            if not one.preferred and resolve.can_coerce(chosen, oid) and not resolve.can_coerce(oid, chosen):
                chosen = oid
        return TEXT if chosen == UNKNOWN else chosen

    def to_common(
        self, exprs: list[Expr], what: str, location: int | None = None, places: list[int] | None = None
    ) -> list[Expr]:
        """The expressions coerced to their common type; places are where each is written."""
        oid = self.common_type(exprs, what, location, places)
        result = []
        for expr in exprs:
            found = self.coerce(expr, oid)
            if found is None:
                raise DsqlError(
                    "42846",
                    f"{what} could not convert type {format_type(expr.type_oid)} to {format_type(oid)}",
                    position=self.position(location),
                )
            result.append(found)
        return result

    # -- literals that name objects ------------------------------------------------------------------------------

    def reg_value(self, oid: int, text: str, location: int) -> str:
        """The oid (as text) a regclass, regtype ... literal means."""
        text = text.strip()
        position = self.position(location)
        if text.isdigit():
            return text
        if text == "-" and oid != REGCLASS:
            return "0"
        parts = split_identifiers(text)
        schema, name = (parts[-2] if len(parts) > 1 else None), parts[-1]
        if oid == REGCLASS:
            found = self.relation_oid(schema, name)
            if found is None:
                shown = f"{schema}.{name}" if schema else name
                raise DsqlError("42P01", f'relation "{shown}" does not exist', position=position)
            return str(found)
        if oid == 4089:
            entry = self.catalog.schemas.get(name)
            if entry is None:
                raise DsqlError("3F000", f'schema "{name}" does not exist', position=position)
            return str(entry.oid)
        if oid == 4096:
            entry = self.catalog.roles.get(name)
            if entry is None:
                raise DsqlError("42704", f'role "{name}" does not exist', position=position)
            return str(entry.oid)
        if oid == 2206:
            entry = find_type(text.removeprefix("pg_catalog."))
            if entry is None:
                raise DsqlError("42704", f'type "{text}" does not exist', position=position)
            return str(entry.oid)
        return self.other_reg_value(oid, name, text)

    def other_reg_value(self, oid: int, name: str, text: str) -> str:
        """regproc and the text search types."""
        if oid in (24, 2202):
            from opendsql.registry.functions import FUNCTIONS_BY_NAME

            head, paren, tail = text.partition("(")
            *above, own = split_identifiers(head.strip())
            schema = above[-1] if above else None
            builtin = FUNCTIONS_BY_NAME.get(own, []) if schema in (None, "pg_catalog") else []
            found = [*self.user_functions(schema, own), *builtin]
            if paren and oid == 2202:
                types = [find_type(t.strip()) for t in tail.rstrip(") ").split(",") if t.strip()]
                found = [f for f in found if list(f.arg_types) == [t.oid if t is not None else 0 for t in types]]
            if not found:
                raise DsqlError("42883", f'function "{text}" does not exist')
            if len(found) > 1 and oid == 24:
                raise DsqlError("42725", f'more than one function named "{text}"')
            return str(found[0].oid)
        if oid in (3734, 3769):
            if name == "simple":
                return "3748" if oid == 3734 else "3765"
            what = "configuration" if oid == 3734 else "dictionary"
            raise DsqlError("42704", f'text search {what} "{text}" does not exist')
        if oid == 4191 and name in ("default", "C", "POSIX"):
            return {"default": "100", "C": "950", "POSIX": "951"}[name]
        raise DsqlError("42704", f'object "{text}" does not exist')


def split_identifiers(text: str) -> list[str]:
    """A dotted, possibly quoted name as its parts, folded to lower case where unquoted."""
    parts, current, quoted, index = [], "", False, 0
    while index < len(text):
        char = text[index]
        if char == '"':
            if quoted and text[index + 1 : index + 2] == '"':
                current += '"'
                index += 1
            else:
                quoted = not quoted
        elif char == "." and not quoted:
            parts.append(current)
            current = ""
        else:
            current += char if quoted else char.lower()
        index += 1
    return [*parts, current]


def _fold_number(expr: Expr, oid: int) -> Expr | None:
    """A numeric constant cast to a wider type is that type's constant: the texts agree."""
    if not isinstance(expr, Const) or expr.type_oid not in (INT2, INT4, INT8, NUMERIC) or expr.typmod != -1:
        return None
    if expr.text is None:
        return Const(oid, None)
    if expr.type_oid != NUMERIC and oid in (INT8, NUMERIC):
        return Const(oid, expr.text, location=expr.location)
    if oid in (FLOAT8, FLOAT4):
        text = expr.text
        if text.startswith("-") and not text.strip("-0."):
            text = "0"  # a numeric has no negative zero
        return Const(oid, text, location=expr.location)
    if oid in (INT2, INT4) and expr.type_oid != NUMERIC:
        limit = 1 << (15 if oid == INT2 else 31)
        if -limit <= int(expr.text) < limit:
            return Const(oid, expr.text, location=expr.location)
    return None
