"""CREATE, ALTER and DROP SEQUENCE options, and the sequences behind identity columns.

DSQL wants the cache size said: 1, or at least 65536. Options follow PostgreSQL: INCREMENT BY, MINVALUE, MAXVALUE,
START WITH, RESTART, CACHE, CYCLE, OWNED BY, AS bigint.
"""

from __future__ import annotations

import secrets
from typing import Any

from opendsql.catalog import datatypes as dt
from opendsql.catalog import store
from opendsql.catalog.context import current
from opendsql.catalog.ddl import grants
from opendsql.catalog.ddl.change import Change, changed
from opendsql.catalog.model import Sequence
from opendsql.catalog.names import strings
from opendsql.catalog.result import PyResult
from opendsql.errors import DsqlError, unsupported
from opendsql.guesses import says
from opendsql.limits import SEQUENCE_CACHE_MIN, reached

_CACHE_RULE = "please define CACHE greater than or equal to 65536 or equal to 1"
INT8_MAX, INT8_MIN = 2**63 - 1, -(2**63)


def option_number(option: dict[str, Any]) -> int:
    """The integer of a DefElem."""
    arg = option["arg"]
    if "Integer" in arg:
        return arg["Integer"].get("ival", 0)
    text = arg["Float"]["fval"]
    if not text.lstrip("+-").isdigit():
        raise DsqlError("22P02", f'invalid input syntax for type bigint: "{text}"')
    if not INT8_MIN <= int(text) <= INT8_MAX:
        raise DsqlError("22003", f'value "{text}" is out of range for type bigint')
    return int(text)


def options_of(nodes: list[dict[str, Any]] | None) -> dict[str, dict[str, Any]]:
    """DefElems by name; 42601 for one said twice."""
    found: dict[str, dict[str, Any]] = {}
    for node in nodes or ():
        option = node["DefElem"]
        if option["defname"] in found:
            raise DsqlError("42601", "conflicting or redundant options")
        found[option["defname"]] = option
    return found


def check_cache(nodes: list[dict[str, Any]] | None, what: str, required: bool = True) -> None:
    """DSQL's rule about CACHE."""
    options = options_of(nodes)
    cache = options.get("cache")
    if cache is None:
        if not required:
            return
        verb = "identity column is" if what == "identity column" else f"{what} is"
        raise unsupported(f"{verb} not supported without an explicit cache size. {_CACHE_RULE}")
    value = option_number(cache)
    if value != 1 and value < SEQUENCE_CACHE_MIN:
        raise unsupported(says("sequence_cache_size", value=value, rule=_CACHE_RULE))


def build(oid: int, schema: str, name: str, nodes: list[dict[str, Any]] | None, owner_oid: int, before: Sequence | None = None) -> Sequence:
    """A Sequence from options (over an existing one for ALTER)."""
    options = options_of(nodes)
    if "as" in options:
        written = options["as"]["arg"]["TypeName"]
        type_oid, _, _ = dt.resolve_type(written, None)
        if type_oid != dt.INT8:
            raise unsupported(says("sequence_type", type=dt.format_type(type_oid, None)))
    increment = option_number(options["increment"]) if "increment" in options else before.increment if before else 1
    if increment == 0:
        raise DsqlError("22023", "INCREMENT must not be zero")
    ascending = increment > 0

    def bound(key: str, default: int, kept: int | None) -> int:
        if key in options:
            return option_number(options[key]) if options[key].get("arg") else default
        return default if kept is None else kept

    if options.get("restart", {}).get("arg"):
        option_number(options["restart"])
    maximum = bound("maxvalue", INT8_MAX if ascending else -1, before.maximum if before else None)
    minimum = bound("minvalue", 1 if ascending else INT8_MIN, before.minimum if before else None)
    if minimum >= maximum:
        raise DsqlError("22023", f"MINVALUE ({minimum}) must be less than MAXVALUE ({maximum})")
    start = bound("start", minimum if ascending else maximum, before.start if before else None)
    if start < minimum:
        raise DsqlError("22023", f"START value ({start}) cannot be less than MINVALUE ({minimum})")
    if start > maximum:
        raise DsqlError("22023", f"START value ({start}) cannot be greater than MAXVALUE ({maximum})")
    cache = option_number(options["cache"]) if "cache" in options else before.cache if before else 1
    cycle = before.cycle if before else False
    if "cycle" in options:
        cycle = bool(options["cycle"]["arg"]["Boolean"].get("boolval", False))
    base = before or Sequence(oid, schema, name, owner_oid=owner_oid)
    return changed(
        base, start=start, increment=increment, minimum=minimum, maximum=maximum, cache=cache, cycle=cycle
    )


def write_state(session: Any, oid: int, last_value: int, is_called: bool) -> None:
    """Store a sequence's position, of a new generation: blocks that sessions hold are given up."""
    image = store.encode_row(store.SEQUENCE_TYPES, [oid, last_value, is_called, secrets.randbits(62)])
    session.put(store.SEQUENCE_TREE, store.row_key(store.INT8, oid), image)


def check_count(change: Change, more: int = 1) -> None:
    """At most 5,000 sequences."""
    count = sum(isinstance(r, Sequence) for r in change.catalog.relations.values())
    if reached(count + more - 1, current.limits.sequences_max):
        raise DsqlError("54000", f"creating more than {current.limits.sequences_max} sequences is not allowed")


def owned_by(change: Change, option: dict[str, Any], sequence: Sequence) -> tuple[int, int] | None:
    """The (table oid, attnum) of OWNED BY."""
    parts = strings(option["arg"]["List"]["items"])
    if parts == ["none"]:
        return None
    if len(parts) < 2:
        raise DsqlError("42601", "invalid OWNED BY option", hint="Specify OWNED BY table.column or OWNED BY NONE.")
    range_var = {"relname": parts[-2]}
    if len(parts) > 2:
        range_var["schemaname"] = parts[-3]
    table = change.find_table(range_var)
    if table.schema != sequence.schema:
        raise DsqlError("55000", "sequence must be in same schema as table it is linked to")
    column = table.column(parts[-1])
    if column is None:
        raise DsqlError("42703", f'column "{parts[-1]}" of relation "{table.name}" does not exist')
    return table.oid, column.attnum


def create_sequence(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """CREATE SEQUENCE."""
    relation = stmt["sequence"]
    if relation.get("relpersistence") == "t":
        raise unsupported(says("create_sequence_clause", clause="TEMPORARY or TEMP"))
    if relation.get("relpersistence") == "u":
        raise unsupported(says("create_sequence_clause", clause="UNLOGGED"))
    check_cache(stmt.get("options"), "CREATE SEQUENCE")
    change = Change(session, catalog, "CREATE SEQUENCE")
    schema = change.creation_schema(relation.get("schemaname"))
    name = relation["relname"]
    if name in change.names_in(schema):
        if stmt.get("if_not_exists"):
            change.notice(f'relation "{name}" already exists, skipping', "42P07")
            return change.nothing()
        raise DsqlError("42P07", f'relation "{name}" already exists')
    check_count(change)
    sequence = build(0, schema, name, stmt.get("options"), change.user_oid)
    options = options_of(stmt.get("options"))
    if "owned_by" in options:
        sequence = changed(sequence, owned_by=owned_by(change, options["owned_by"], sequence))
    sequence = changed(sequence, oid=change.new_oid(), acl=grants.initial_acl(change, schema, "S", "sequence"))
    change.put(sequence)
    write_state(session, sequence.oid, sequence.start, False)
    return change.done()


def alter_sequence(stmt: dict[str, Any], text: str, session: Any, catalog: Any) -> PyResult:
    """ALTER SEQUENCE options."""
    check_cache(stmt.get("options"), "ALTER SEQUENCE", required=False)
    change = Change(session, catalog, "ALTER SEQUENCE")
    sequence = change.find(stmt["sequence"], bool(stmt.get("missing_ok")))
    if sequence is None:
        change.notice(f'relation "{stmt["sequence"]["relname"]}" does not exist, skipping')
        return change.nothing()
    if not isinstance(sequence, Sequence):
        raise DsqlError("42809", f'"{sequence.name}" is not a sequence')
    change.require_owner(sequence, "sequence")
    change.put(alter_options(change, sequence, stmt.get("options")))
    return change.done()


def alter_options(change: Change, sequence: Sequence, nodes: list[dict[str, Any]] | None) -> Sequence:
    """The sequence with options applied; RESTART moves its position."""
    options = options_of(nodes)
    altered = build(sequence.oid, sequence.schema, sequence.name, nodes, sequence.owner_oid, before=sequence)
    if "owned_by" in options:
        if sequence.identity:
            raise unsupported("cannot change ownership of identity sequence")
        altered = changed(altered, owned_by=owned_by(change, options["owned_by"], altered))
    if "restart" in options:
        value = option_number(options["restart"]) if options["restart"].get("arg") else altered.start
        if not altered.minimum <= value <= altered.maximum:
            side = "less than MINVALUE" if value < altered.minimum else "greater than MAXVALUE"
            limit = altered.minimum if value < altered.minimum else altered.maximum
            raise DsqlError("22023", f"RESTART value ({value}) cannot be {side} ({limit})")
        write_state(change.session, sequence.oid, value, False)
    return altered


def identity_sequence(
    change: Change, schema: str, table: str, column: str, nodes: list[dict[str, Any]] | None, taken: set[str], oid: int
) -> Sequence:
    """The sequence of an identity column."""
    from opendsql.catalog.names import choose_name

    options = [n for n in nodes or () if n["DefElem"]["defname"] != "sequence_name"]
    named = [n for n in nodes or () if n["DefElem"]["defname"] == "sequence_name"]
    name = strings(named[0]["DefElem"]["arg"]["List"]["items"])[-1] if named else choose_name(table, column, "seq", taken)
    taken.add(name)
    sequence = build(oid, schema, name, options, change.user_oid)
    return changed(sequence, identity=True)
