from collections.abc import Sequence
from typing import Any, TypeAlias

KIND_COMMIT: int
KIND_RECORD: int
KIND_DURABLE: int
KIND_REPLY: int
KIND_STOP: int
FLAG_CATALOG: int
VALIDATE: int
STAMP: int
CATALOG: int
PUT: int
DELETE: int
DROP_TREE: int
COMMITTED: int
OC000: int
OC001: int
TOO_OLD: int
READ_ONLY: int
FULL: int
UNKNOWN: int
MALFORMED: int

Op: TypeAlias = tuple[int, int, bytes, bytes]

def fingerprint_of(tree: int, key: bytes) -> int: ...
def encode_commit(
    snapshot_ts: int, checks: Sequence[int], ops: Sequence[Op], *, reply_to: int = 0, txn_id: bytes = ..., flags: int = 0
) -> bytes: ...
def encode_record(
    commit_ts: int, ops: Sequence[Op], *, reply_to: int = 0, txn_id: bytes = ..., flags: int = 0
) -> bytes: ...
def decode_record(message: bytes) -> dict[str, Any]: ...
def decode_message(message: bytes) -> dict[str, Any]: ...
def split_records(payload: bytes) -> list[bytes]: ...
def encode_durable(seq: int, last_ts: int) -> bytes: ...
