"""nextval, currval, lastval, setval.

A sequence's row says the last value given out (or the last of a block), and the token of whoever took it. nextval takes
a block of CACHE values by writing the row in the caller's transaction, guarded as a row: two transactions that take a
block at once conflict, and the later one gets 40001 at COMMIT. A block with CACHE > 1 is kept by the session and used up
without a write. A later transaction may use it only when it finds the block's token in the row, which proves that the
transaction that took it has committed; when it finds another token the block is given up, which costs a gap.

Invariants
  Q1  a value is given out at most once by committed transactions: blocks never overlap, since taking one validates and
      stamps the row.
  Q2  a block taken in a transaction that did not commit is never used by a later one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from opendsql.catalog import store
from opendsql.catalog.context import current
from opendsql.catalog.ddl import grants
from opendsql.catalog.functions.naming import catalog, relation
from opendsql.catalog.model import Sequence
from opendsql.catalog.settings import settings_of
from opendsql.errors import DsqlError


@dataclass(slots=True)
class Block:
    """Values a session may still give out: next, then up to (and with) last."""

    next_value: int
    last: int
    token: int
    transaction: int | None  # start of the transaction that took it; None once that is known to have committed


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
    """The sequence; 42809 for another kind, 42501 without privilege."""
    found = relation(text)
    if not isinstance(found, Sequence):
        raise DsqlError("42809", f'"{found.name}" is not a sequence')
    if not any(grants.holds(catalog(), current.user, found, letter) for letter in privilege):
        raise DsqlError("42501", f"permission denied for sequence {found.name}")
    return found


def row_of(session: Any, sequence: Sequence) -> tuple[int, bool, int]:
    """(last value, is_called, token) as the transaction sees them."""
    image = session.get(store.SEQUENCE_TREE, store.row_key(store.INT8, sequence.oid))
    if image is None:
        return sequence.start, False, 0
    _, last, called, token = store.decode_row(store.SEQUENCE_TYPES, image)
    return last, called, token


def write(session: Any, sequence: Sequence, last: int, called: bool, token: int) -> None:
    """Move the sequence; checked as a row."""
    if getattr(session, "read_only", False):
        raise DsqlError("25006", "cannot execute nextval() in a read-only transaction")
    key = store.row_key(store.INT8, sequence.oid)
    session.put(store.SEQUENCE_TREE, key, store.encode_row(store.SEQUENCE_TYPES, [sequence.oid, last, called, token]))
    session.add_check(store.fingerprint(store.SEQUENCE_TREE, key) | store.CHECK_VALIDATE | store.CHECK_STAMP)


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
    last, called, _ = row_of(session, sequence)
    first = after(sequence, last) if called else last
    span = (sequence.cache - 1) * sequence.increment
    end = first + span
    if sequence.increment > 0 and end > sequence.maximum:
        end = first + (sequence.maximum - first) // sequence.increment * sequence.increment
    elif sequence.increment < 0 and end < sequence.minimum:
        end = first - (first - sequence.minimum) // -sequence.increment * -sequence.increment
    token = secrets.randbits(62)
    write(session, sequence, end, True, token)
    return Block(first, end, token, session.transaction_us)


def usable(session: Any, sequence: Sequence, block: Block | None) -> Block | None:
    """The block when it still has values and they are the session's to give."""
    if block is None or (block.next_value - block.last) * sequence.increment > 0:
        return None
    if block.transaction is not None and block.transaction != session.transaction_us:
        if row_of(session, sequence)[2] != block.token:
            return None
        block.transaction = None
    return block


def nextval(name: str) -> str:
    """SQL: nextval(name)."""
    sequence = find(name, "wU")
    session = current.session
    state = state_of(session)
    block = usable(session, sequence, state.blocks.get(sequence.oid)) or take_block(session, sequence)
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
    write(current.session, sequence, number, is_called, 0)
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
    "nextval": nextval, "currval": currval, "lastval": lastval, "setval": setval,
    "pg_sequence_last_value": pg_sequence_last_value,
}  # fmt: skip
