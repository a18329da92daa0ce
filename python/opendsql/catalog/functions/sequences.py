"""nextval, currval, lastval, setval.

A sequence's row says the last value given out (or the last of a block), and the generation of its position: a number that
ALTER SEQUENCE ... RESTART changes. nextval and setval are no part of the caller's transaction: they move the row in a small
transaction of their own, tried again when another session was faster. So they never conflict, nobody waits for them,
and a value is not given out twice because a transaction rolled back. A block with CACHE > 1 is kept by the session and used
up without a write, unless the generation has changed since. guess: nextval_aside

Only in a transaction that changed the catalog (it may have made the sequence) the row is moved in that transaction.

Invariants
  Q1  a value is given out at most once: blocks never overlap, since taking one validates and stamps the row.
  Q2  a block taken in a transaction that may still roll back is never kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from opendsql.catalog import acl, store
from opendsql.catalog.context import current
from opendsql.catalog.functions.naming import catalog, relation
from opendsql.catalog.model import Sequence
from opendsql.catalog.settings import settings_of
from opendsql.errors import DsqlError


@dataclass(slots=True)
class Block:
    """Values a session may still give out: next, then up to (and with) last."""

    next_value: int
    last: int
    generation: int


@dataclass(slots=True)
class State:
    """A session's use of sequences."""

    blocks: dict[int, Block] = field(default_factory=dict)
    current: dict[int, int] = field(default_factory=dict)
    last: int | None = None


def state_of(session: Any) -> State:
    """The session's state, beside its settings."""
    settings = settings_of(session)
    if settings.sequences is None:
        settings.sequences = State()
    return settings.sequences


def find(text: str, privilege: str) -> Sequence:
    """The sequence; 42809 for another kind, 42501 without one of the privileges; '' asks for none."""
    found = relation(text)
    if not isinstance(found, Sequence):
        raise DsqlError("42809", f'"{found.name}" is not a sequence')
    if privilege and not any(acl.holds(catalog(), current.user, found, letter) for letter in privilege):
        raise DsqlError("42501", f"permission denied for sequence {found.name}")
    return found


def row_of(session: Any, sequence: Sequence) -> tuple[int, bool, int]:
    """(last value, is_called, generation) as the transaction sees them."""
    image = session.get(store.SEQUENCE_TREE, store.row_key(store.INT8, sequence.oid))
    if image is None:
        raise DsqlError("42P01", f'relation "{sequence.name}" does not exist')
    _, last, called, generation = store.decode_row(store.SEQUENCE_TYPES, image)
    return last, called, generation


def write(session: Any, sequence: Sequence, last: int, called: bool, generation: int) -> None:
    """Move the sequence; checked as a row."""
    key = store.row_key(store.INT8, sequence.oid)
    image = store.encode_row(store.SEQUENCE_TYPES, [sequence.oid, last, called, generation])
    session.put(store.SEQUENCE_TREE, key, image)
    session.add_check(store.fingerprint(store.SEQUENCE_TREE, key) | store.CHECK_VALIDATE | store.CHECK_STAMP)


def aside(session: Any, sequence: Sequence, asked: str, work: Callable[[Any], Any]) -> Any:
    """work(session) for the function `asked` in a transaction of its own, again while others are faster."""
    if getattr(session, "read_only", False):
        raise DsqlError("25006", f"cannot execute {asked}() in a read-only transaction")
    if session.did_ddl:
        return work(session)
    own = session.aside()
    try:
        while True:
            store.validate_version(own, sequence.oid)
            done = work(own)
            try:
                own.commit()
            except Exception as error:  # the core's own class, same fields
                if getattr(error, "sqlstate", None) != "40001":
                    raise
            else:
                return done
    finally:
        own.close()


def after(sequence: Sequence, value: int) -> int:
    """The value that follows; 2200H at the end of a sequence that does not cycle."""
    step = sequence.increment
    following = value + step
    if step > 0 and following > sequence.maximum:
        if not sequence.cycle:
            text = f'nextval: reached maximum value of sequence "{sequence.name}" ({sequence.maximum})'
            raise DsqlError("2200H", text)
        return sequence.minimum
    if step < 0 and following < sequence.minimum:
        if not sequence.cycle:
            text = f'nextval: reached minimum value of sequence "{sequence.name}" ({sequence.minimum})'
            raise DsqlError("2200H", text)
        return sequence.maximum
    return following


def take_block(session: Any, sequence: Sequence) -> Block:
    """The next block: at most CACHE values, fewer at the sequence's end."""
    last, called, generation = row_of(session, sequence)
    first = after(sequence, last) if called else last
    cache = 1 if session.did_ddl else sequence.cache
    end = first + (cache - 1) * sequence.increment
    if sequence.increment > 0 and end > sequence.maximum:
        end = first + (sequence.maximum - first) // sequence.increment * sequence.increment
    elif sequence.increment < 0 and end < sequence.minimum:
        end = first - (first - sequence.minimum) // -sequence.increment * -sequence.increment
    write(session, sequence, end, True, generation)
    return Block(first, end, generation)


def usable(session: Any, sequence: Sequence, block: Block | None) -> Block | None:
    """The block when it still has values and nobody restarted the sequence."""
    if block is None or (block.next_value - block.last) * sequence.increment > 0:
        return None
    return block if row_of(session, sequence)[2] == block.generation else None


def identity_nextval(name: str) -> str:
    """The default of an identity column: whoever may insert into the table may draw from its sequence."""
    return nextval(name, "")


def nextval(name: str, privilege: str = "wU") -> str:
    """SQL: nextval(name)."""
    sequence = find(name, privilege)
    session = current.session
    state = state_of(session)
    block = usable(session, sequence, state.blocks.get(sequence.oid))
    if block is None:
        block = aside(session, sequence, "nextval", lambda own: take_block(own, sequence))
    value = block.next_value
    block.next_value = value + sequence.increment
    state.blocks[sequence.oid] = block
    state.current[sequence.oid] = value
    state.last = sequence.oid
    return str(value)


def currval(name: str) -> str:
    """SQL: currval(name)."""
    sequence = find(name, "rU")
    value = state_of(current.session).current.get(sequence.oid)
    if value is None:
        raise DsqlError("55000", f'currval of sequence "{sequence.name}" is not yet defined in this session')
    return str(value)


def lastval() -> str:
    """SQL: lastval()."""
    state = state_of(current.session)
    if state.last is None or state.last not in state.current:
        raise DsqlError("55000", "lastval is not yet defined in this session")
    return str(state.current[state.last])


def setval(name: str, value: str, called: str = "t") -> str:
    """SQL: setval(name, value, called)."""
    sequence = find(name, "w")
    number = int(value)
    if not sequence.minimum <= number <= sequence.maximum:
        raise DsqlError(
            "22003",
            f'setval: value {number} is out of bounds for sequence "{sequence.name}" ({sequence.minimum}..{sequence.maximum})',
        )
    is_called = called in ("t", "true")
    aside(current.session, sequence, "setval", lambda own: write(own, sequence, number, is_called, row_of(own, sequence)[2]))
    state = state_of(current.session)
    state.blocks.pop(sequence.oid, None)
    if is_called:
        state.current[sequence.oid] = number
    return value


def pg_sequence_last_value(name: str) -> str | None:
    """SQL: pg_sequence_last_value(name)."""
    sequence = find(name, "rU")
    last, called, _ = row_of(current.session, sequence)
    return str(last) if called else None


FUNCTIONS = {
    "nextval": nextval, "identity_nextval": identity_nextval, "currval": currval, "lastval": lastval, "setval": setval,
    "pg_sequence_last_value": pg_sequence_last_value,
}  # fmt: skip
