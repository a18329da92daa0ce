"""Catalog rows in their trees: what is stored where, and how a session reads and writes it.

    tree 1   versions   name (8 bytes) -> changes so far, who made the last one (catalog/versions.py); the 8-byte oids among
                        its keys store nothing: they are version keys (see stamp)
    tree 2   objects    oid int8 | kind text | schema text | name text | definition text
    tree 3   sys.jobs   job_id text | status .. update_time | progress and parameters of the job
    tree 4   sequences  oid int8 | last_value int8 | is_called bool | generation int8 (of its position: ALTER SEQUENCE)

Key of a row: its first column in key encoding. Row of oid 0 in tree 2 is the counter: definition = JSON with the next
free oid and the format version of the catalog.

Invariants
  S1  every catalog change stamps the version key of each table it changes; a change that makes, drops or renames an
      object, or takes an oid, also stamps the namespace (oid 0). Hence two transactions can never take one oid.
  S2  a job row and a sequence row are data: they are checked as rows (OC000), not as catalog.
  S3  the end of a job stamps the table's row alone: what it makes valid every writer has maintained from the start.
"""

from __future__ import annotations

import json
from typing import Any

from opendsql.catalog.model import FIRST_USER_OID
from opendsql.errors import OperatorError

VERSION_TREE = 1
OBJECT_TREE = 2
JOB_TREE = 3
SEQUENCE_TREE = 4
FORMAT_VERSION = 1

CHECK_VALIDATE, CHECK_STAMP, CHECK_CATALOG = 1, 2, 4

BOOL, INT8, TEXT, OID, TIMESTAMPTZ = 16, 20, 25, 26, 1184
OBJECT_TYPES = (INT8, TEXT, TEXT, TEXT, TEXT)
# Visible columns of sys.jobs, then what only the engine reads.
JOB_COLUMNS = (
    ("job_id", TEXT), ("status", TEXT), ("details", TEXT), ("job_type", TEXT), ("class_id", OID), ("object_id", OID),
    ("object_name", TEXT), ("start_time", TIMESTAMPTZ), ("update_time", TIMESTAMPTZ),
)  # fmt: skip
JOB_HIDDEN = (("table_oid", INT8), ("parameter", TEXT), ("progress", TEXT), ("rows_done", INT8), ("finished", INT8))
JOB_TYPES = tuple(oid for _, oid in JOB_COLUMNS + JOB_HIDDEN)
SEQUENCE_TYPES = (INT8, INT8, BOOL, INT8)

_codecs: dict[tuple[int, ...], Any] = {}


def _codec(types: tuple[int, ...]) -> Any:
    codec = _codecs.get(types)
    if codec is None:
        from dsql_core.codec import RowCodec

        codec = _codecs[types] = RowCodec(list(types))
    return codec


def encode_row(types: tuple[int, ...], values: list[Any]) -> bytes:
    """The row image of values: texts, ints, bools or None, each put into its type's text form."""
    return _codec(types).encode([_text(value) for value in values])


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)


def decode_row(types: tuple[int, ...], image: bytes) -> list[Any]:
    """Values of a row image: int for integer types, bool for bool, text for the rest, None for NULL."""
    values: list[Any] = []
    for type_oid, text in zip(types, _codec(types).decode(image), strict=True):
        if text is None:
            values.append(None)
        elif type_oid in (INT8, OID):
            values.append(int(text))
        elif type_oid == BOOL:
            values.append(text == "t")
        else:
            values.append(text)
    return values


def row_key(type_oid: int, value: Any) -> bytes:
    """The key of a catalog row: its first column in key encoding."""
    from dsql_core.codec import key_encode

    return key_encode([(type_oid, str(value), False)])


def fingerprint(tree: int, key: bytes) -> int:
    """Fingerprint of (tree, key), three lowest bits zero."""
    from dsql_core.codec import fingerprint_of

    return fingerprint_of(tree, key)


def version_key(oid: int) -> bytes:
    """Key of an object's version in tree 1; 0 is the namespace."""
    return oid.to_bytes(8, "big")


def stamp(session: Any, oid: int) -> None:
    """Raise the version of a table, or of the namespace (0): transactions that used it and commit later get OC001."""
    flags = CHECK_VALIDATE | CHECK_STAMP | CHECK_CATALOG
    session.add_check(fingerprint(VERSION_TREE, version_key(oid)) | flags)
    stamp_row(session, oid)


def stamp_row(session: Any, oid: int) -> None:
    """Only other catalog changes of the object get OC001: its writers may commit beside this one (S3)."""
    flags = CHECK_VALIDATE | CHECK_STAMP | CHECK_CATALOG
    session.add_check(fingerprint(OBJECT_TREE, row_key(INT8, oid)) | flags)


def validate_version(session: Any, oid: int) -> None:
    """Refuse this transaction's commit (OC001) when the table's definition changed after its snapshot."""
    session.add_check(fingerprint(VERSION_TREE, version_key(oid)) | CHECK_VALIDATE | CHECK_CATALOG)


def put_object(session: Any, oid: int, kind: str, schema: str, name: str, definition: str) -> None:
    """Write one row of tree 2."""
    image = encode_row(OBJECT_TYPES, [oid, kind, schema, name, definition])
    session.put(OBJECT_TREE, row_key(INT8, oid), image)


def delete_object(session: Any, oid: int) -> None:
    """Delete one row of tree 2."""
    session.delete(OBJECT_TREE, row_key(INT8, oid))


def read_objects(session: Any) -> list[tuple[int, str, str, str, str]]:
    """Every row of tree 2 the session sees, by oid."""
    return [tuple(decode_row(OBJECT_TYPES, image)) for _, image in session.scan(OBJECT_TREE)]


def counter_definition(next_oid: int = FIRST_USER_OID) -> str:
    """Definition text of the counter row."""
    return json.dumps({"format": FORMAT_VERSION, "next_oid": next_oid})


def read_counter(session: Any) -> int:
    """The next free oid."""
    image = session.get(OBJECT_TREE, row_key(INT8, 0))
    if image is None:
        raise OperatorError("the catalog has no counter row: the directory was never initialised")
    counter = json.loads(decode_row(OBJECT_TYPES, image)[4])
    if counter["format"] != FORMAT_VERSION:
        raise OperatorError(f"catalog format {counter['format']} is not the {FORMAT_VERSION} this version reads")
    return counter["next_oid"]


def take_oids(session: Any, count: int) -> int:
    """Take count consecutive oids; the first. The caller stamps the namespace (S1)."""
    first = read_counter(session)
    put_object(session, 0, "counter", "", "", counter_definition(first + count))
    return first
